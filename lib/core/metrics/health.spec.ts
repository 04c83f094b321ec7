import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthRecord } from './health-record.js';
import { HEALTH_REASONS, healthProblems, healthStatus, type HealthSnapshot } from './health.js';
import { RecentRefusals } from './recent-refusals.js';

const WELL: HealthSnapshot = {
  phase: 'running',
  isDraining: false,
  isAttached: true,
  refusals: [],
  sendQueueBytes: 0,
  maxSendQueueBytes: 1_000,
  loopDelay: 0,
};

const codesOf = (change: Partial<HealthSnapshot>) => healthProblems({ ...WELL, ...change }).map(({ code }) => code);

describe('a node', () => {
  it.each<[what: string, change: Partial<HealthSnapshot>, codes: string[]]>([
    ['that is well', {}, []],
    ['that has no bound for its send queues', { sendQueueBytes: 1e9, maxSendQueueBytes: Infinity }, []],
    ['that is detached', { isAttached: false }, ['DETACHED']],
    ['whose Redis has no memory', { refusals: ['OOM'] }, ['BUS_REFUSES']],
    ['that has sent 90 % of what it may', { sendQueueBytes: 900 }, ['SEND_BUDGET_SPENT']],
    ['that has sent less', { sendQueueBytes: 899 }, []],
    ['whose event loop is late', { loopDelay: 0.5 }, ['EVENT_LOOP_LATE']],
    ['that drains', { isDraining: true }, ['DRAINING']],
    ['that drains and is detached', { isDraining: true, isAttached: false }, ['DRAINING', 'DETACHED']],
    ['that starts', { phase: 'starting', isAttached: false }, ['STARTING']],
    ['that is closed', { phase: 'closed', isAttached: false, isDraining: true }, ['CLOSED']],
  ])('%s has the reasons for that', (_what, change, codes) => {
    expect(codesOf(change)).toEqual(codes);
  });

  it('names what it knows about a reason', () => {
    const problems = healthProblems({ ...WELL, refusals: ['OOM', 'NOPERM'], sendQueueBytes: 950, loopDelay: 1.23 });
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('(OOM, NOPERM).'),
      expect.stringContaining('(950 of 1000 bytes).'),
      expect.stringContaining('(1.2 s).'),
    ]);
  });
});

it('the status is that of the worst reason', () => {
  expect(healthStatus([])).toBe('up');
  const codes = fc.uniqueArray(fc.constantFrom(...(Object.keys(HEALTH_REASONS) as (keyof typeof HEALTH_REASONS)[])), {
    minLength: 1,
  });
  fc.assert(
    fc.property(codes, (some) => {
      const isDown = some.some((code) => HEALTH_REASONS[code].status === 'down');
      expect(healthStatus(some.map((code) => ({ code })))).toBe(isDown ? 'down' : 'degraded');
    }),
  );
});

describe('a reason', () => {
  const at = (seconds: number) => new Date(seconds * 1_000);
  const sinceOf = (record: HealthRecord, isAttached: boolean, seconds: number) =>
    record.judge({ ...WELL, isAttached }, at(seconds)).reasons.map(({ since }) => since);

  it('holds since the first call that saw it', () => {
    const record = new HealthRecord();
    sinceOf(record, true, 0);
    expect([sinceOf(record, false, 1), sinceOf(record, false, 5)]).toEqual([[at(1)], [at(1)]]);
  });

  it('begins anew after a break', () => {
    const record = new HealthRecord();
    sinceOf(record, false, 1);
    sinceOf(record, true, 2);
    expect(sinceOf(record, false, 3)).toEqual([at(3)]);
  });
});

describe('refusals', () => {
  it('are recent for 30 seconds after the last of a kind', () => {
    const refusals = new RecentRefusals();
    const seen = [
      refusals.update(new Map(), 0),
      refusals.update(new Map([['OOM', 1]]), 10_000),
      refusals.update(new Map([['OOM', 1]]), 39_999),
      refusals.update(new Map([['OOM', 2]]), 41_000),
      refusals.update(new Map([['OOM', 2]]), 70_999),
      refusals.update(new Map([['OOM', 2]]), 71_000),
    ];
    expect(seen).toEqual([[], ['OOM'], ['OOM'], ['OOM'], ['OOM'], []]);
  });

  it('are told by their kinds', () => {
    const refusals = new RecentRefusals();
    refusals.update(new Map([['OOM', 1]]), 0);
    expect(refusals.update(new Map([['OOM', 1], ['NOPERM', 1]]), 30_000)).toEqual(['NOPERM']); // prettier-ignore
  });
});
