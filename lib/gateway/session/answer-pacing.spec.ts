import { beforeEach, describe, expect, it } from 'vitest';
import { ClientAllowance } from '../../core/protocol/client-allowance.js';
import { AnswerPacing } from './answer-pacing.js';

let now: number;
let counted: number;
let drained: Promise<void> | undefined;
let allowance: ClientAllowance;
let pacing: AnswerPacing;

beforeEach(() => {
  now = 0;
  counted = 0;
  drained = undefined;
  const takeCounted = () => {
    const length = counted;
    counted = 0;
    return length;
  };
  const rate = { perSecond: 1, burst: 1 };
  const answers = { perSecond: 100_000, burst: 1_000 };
  allowance = new ClientAllowance({ ...rate, opening: 0, total: rate, answers, pings: rate, refusals: rate }, now);
  const client = { replies: { takeCounted } as never, drained: () => drained, allowance };
  pacing = new AnswerPacing(client, { clock: { now: () => now } });
});

describe('the next command of a client', () => {
  it('need not wait while the client reads and has asked for little', () => {
    const early = pacing.wait();
    counted = 1_000;
    expect([early, pacing.wait()]).toEqual([undefined, undefined]);
  });

  it('waits until what earlier connections of the user drew is within the rate', async () => {
    const start = performance.now();
    allowance.answered(6_000, now);
    await pacing.owed();
    expect(performance.now() - start).toBeGreaterThanOrEqual(48);
  });

  it('waits until the answer before has been read', async () => {
    let isRead = false;
    drained = new Promise((resolve) => {
      setImmediate(() => {
        isRead = true;
        resolve();
      });
    });
    await pacing.wait();
    expect(isRead).toBe(true);
  });

  it('waits until the answer before is within the rate', async () => {
    counted = 6_000;
    const start = performance.now();
    await pacing.wait();
    // Timers of Node may be a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(48);
  });

  it('does not wait for the rate when reading has taken as long', () => {
    counted = 6_000;
    drained = Promise.resolve();
    const wait = pacing.wait();
    now = 50;
    return expect(wait).resolves.toBeUndefined();
  });
});
