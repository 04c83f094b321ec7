import { describe, expect, it } from 'vitest';
import { EVENTS, REALTIME } from '../../bench/dialect.js';
import { measure } from '../../bench/measure.js';
import { CLUSTER_ROWS, FEATURE_ROWS, LATEST, OURS, PACE_ROWS, STREAM_ROWS, type Row } from '../../bench/rows.js';
import type { Deed, Phase, StreamDeed, Workload } from '../../bench/workload.js';
import { REPOSITORY } from '../package/repository.js';

const CONNECTIONS = 20;
const SUBSCRIBERS = 5;

function workload(...deeds: readonly Deed[]): Workload {
  const phases = deeds.map((deed) => ({ ...deed, warmUpMs: 50, durationMs: 100 }));
  return { name: 'short', connections: CONNECTIONS, topics: 4, subscribersPerTopic: SUBSCRIBERS, phases };
}

const PUBLISH: Deed = { kind: 'publish', to: 'everybody', outstanding: 1 };

function fixture(name: string, dialect = EVENTS): Row {
  return { name, program: `../test/package/fixtures/${name}.ts`, cwd: REPOSITORY, dialect };
}

/** Rows that have a feature, in memory and on Redis. */
function having(feature: string): readonly Row[] {
  return FEATURE_ROWS.filter(({ name }) => name.includes(feature));
}

describe('the benchmark', () => {
  it('accounts for every delivery of the package, and for what each has cost', async () => {
    const { crowd, phases } = await measure(
      OURS,
      workload(
        PUBLISH,
        { kind: 'publish', to: 'a random topic', outstanding: 16 },
        { kind: 'publish', to: 'one topic', outstanding: 1 },
        { kind: 'pace', to: 'everybody', perSecond: 50 },
        { kind: 'ask', handler: 'plain' },
        { kind: 'ask', handler: 'checked' },
      ),
    );
    const each = [CONNECTIONS, SUBSCRIBERS, SUBSCRIBERS, CONNECTIONS, 1, 1];
    expect(phases.map(({ lost }) => lost)).toEqual(each.map(() => 0));
    expect(phases.map(({ deliveries }) => deliveries)).toEqual(phases.map(({ asked }, at) => asked * each[at]!));
    for (const { asked, cpuMicrosPerDelivery, latencyMicros, payloadBytes } of phases) {
      expect(asked).toBeGreaterThan(0);
      expect(cpuMicrosPerDelivery).toBeGreaterThan(0);
      expect(latencyMicros.p99).toBeGreaterThanOrEqual(latencyMicros.p50);
      expect(payloadBytes).toBeGreaterThan(100);
    }
    expect(crowd).toMatchObject({ connections: CONNECTIONS, subscriptions: CONNECTIONS });
    expect(crowd.acceptCpuMicros).toBeGreaterThan(0);
    expect(crowd.leaveCpuMicros).toBeGreaterThan(0);
  });

  it.each(CLUSTER_ROWS.filter(({ cwd }) => cwd === REPOSITORY))(
    'accounts for every delivery from one node to the other, and for what Redis spends: $name',
    async (row) => {
      const { phases } = await measure(row, {
        ...workload(PUBLISH, { kind: 'publish', to: 'a topic of the last node', outstanding: 8 }),
        nodes: 2,
        isSpread: true,
      });
      const each = [CONNECTIONS, SUBSCRIBERS];
      expect(phases.map(({ lost }) => lost)).toEqual([0, 0]);
      expect(phases.map(({ deliveries }) => deliveries)).toEqual(phases.map(({ asked }, at) => asked * each[at]!));
      for (const { cpuMicrosPerAsked, cpuMicrosPerAskedOfEach: spent } of phases) {
        expect(spent).toHaveLength(3);
        expect(Math.min(...spent)).toBeGreaterThan(0);
        expect(spent.reduce((total, one) => total + one, 0)).toBeCloseTo(cpuMicrosPerAsked);
      }
    },
  );

  it('counts nothing as lost that a server may leave out', async () => {
    const row = PACE_ROWS.find(({ name }) => name === LATEST)!;
    const deed: Deed = { kind: 'pace', to: 'one topic', perSecond: 1_000, isLossy: true };
    const [result] = (await measure(row, workload(deed))).phases;
    expect(result!.lost).toBe(0);
    expect(result!.deliveries).toBeLessThan(result!.asked * SUBSCRIBERS);
    expect(result!.processBytes?.heap).toBeGreaterThan(0);
  });

  describe('of features', () => {
    const exercise = (...phases: readonly Phase[]): Workload => ({ ...workload(), phases });
    const RECOVER: Phase = { kind: 'recover', missed: 10 };

    it.each(having('history'))('sees to it that everybody gets what was missed: $name', async (row) => {
      const { phases } = await measure(row, exercise({ kind: 'recover', missed: 0 }, RECOVER));
      expect(phases.map(({ asked, deliveries, lost }) => [asked, deliveries, lost])).toEqual([
        [CONNECTIONS, CONNECTIONS, 0],
        [CONNECTIONS, CONNECTIONS * 11, 0],
      ]);
      for (const { cpuMicrosPerAsked, wallMs, latencyMicros, latenessMs } of phases) {
        expect(cpuMicrosPerAsked).toBeGreaterThan(0);
        expect(latencyMicros.p50).toBeGreaterThan(0);
        expect(wallMs * 1_000).toBeGreaterThan(latencyMicros.p50);
        expect(latenessMs!.max).toBeGreaterThanOrEqual(latenessMs!.p99);
      }
    });

    it('fails when a message is left out', async () => {
      await expect(measure(fixture('gap-server', REALTIME), exercise(RECOVER))).rejects.toThrow(
        'The publication 10, message 9, came where 9, message 8, was due.',
      );
    });

    it('says how many have not come at the end, and measures nothing behind them', async () => {
      const { phases } = await measure(fixture('short-server', REALTIME), exercise(RECOVER, RECOVER));
      expect(phases.map(({ lost }) => lost)).toEqual([CONNECTIONS]);
    });

    it('finds nothing wrong with the same server when it leaves nothing out', async () => {
      const { phases } = await measure(fixture('whole-server', REALTIME), exercise(RECOVER));
      expect(phases.map(({ lost }) => lost)).toEqual([0]);
    });

    const alternate: Phase = { kind: 'alternate', members: 5, warmUpMs: 50, durationMs: 50 };

    it.each(having('presence'))('accounts for everybody who comes and goes: $name', async (row) => {
      const storm = exercise({ kind: 'storm', members: CONNECTIONS }, { kind: 'thin', members: 5 }, alternate);
      const { phases } = await measure(row, { ...storm, topics: 0 });
      const [came, left, changed] = phases;
      expect(phases.map(({ lost }) => lost)).toEqual([0, 0, 0]);
      expect([came!.asked, left!.asked]).toEqual([CONNECTIONS, CONNECTIONS - 5]);
      expect(changed!.deliveries).toBe(changed!.asked);
      expect(changed!.asked % 2).toBe(0);
      expect(came!.bytesEach!.heap).toEqual(expect.any(Number));
    });

    it('tells watchers of each who comes and goes', async () => {
      const storm = exercise({ kind: 'storm', members: 16 }, { kind: 'thin', members: 5 }, alternate);
      const { phases } = await measure(having('presence')[0]!, { ...storm, topics: 0, watchers: 4 });
      expect(phases.map(({ lost }) => lost)).toEqual([0, 0, 0]);
      expect(phases.map(({ deliveries }) => deliveries)).toEqual(phases.map(({ asked }) => asked * 5));
    });

    it('fails when watchers are to be told of what nobody is told', async () => {
      const storm = exercise({ kind: 'storm', members: 16 });
      await expect(measure(OURS, { ...storm, topics: 0, watchers: 4 })).rejects.toThrow('NO_HANDLER');
    });

    it.each(having('history'))('weighs what is kept: $name', async (row) => {
      const [kept] = (await measure(row, exercise({ kind: 'keep', streams: 500, publications: 10 }))).phases;
      expect(kept).toMatchObject({ asked: 500, deliveries: 5_000, lost: 0 });
      // The texts alone have 1.5 KB.
      expect(kept!.bytesEach!.heap).toBeGreaterThan(1_000);
    });
  });

  describe('of streams', () => {
    const of = (from: StreamDeed['from'], stallsEvery?: number): StreamDeed => ({
      kind: 'stream',
      from,
      perSecond: 100,
      ...(stallsEvery !== undefined && { stallsEvery }),
    });

    it('accounts for every item, and for readers that stall', async () => {
      const deeds = [of('handlers'), of('topics'), of('handlers', 10)];
      const { phases } = await measure(STREAM_ROWS[0]!, workload(...deeds));
      const readers = [CONNECTIONS, CONNECTIONS, CONNECTIONS - 2];
      expect(phases.map(({ deliveries, lost }) => [deliveries, lost])).toEqual(readers.map((count) => [10 * count, 0]));
      expect(Math.min(...phases.map(({ latencyMicros }) => latencyMicros.p50))).toBeGreaterThan(0);
      expect(phases[2]!.stall).toMatchObject({ readers: 2, dropped: 0, complete: 2 });
    });

    it('accounts for every server-sent event', async () => {
      const row = STREAM_ROWS.find(({ dialect }) => dialect.isHttp)!;
      const { phases } = await measure({ ...row, cwd: REPOSITORY }, { ...workload(of('handlers')), topics: 0 });
      expect(phases).toMatchObject([{ asked: 10, deliveries: 10 * CONNECTIONS, lost: 0 }]);
    });
  });

  it('says how many deliveries a server has lost, and measures nothing behind them', async () => {
    const { phases } = await measure(fixture('losing-server'), workload(PUBLISH, PUBLISH));
    expect(phases.map(({ asked, lost }) => ({ asked, lost }))).toEqual([{ asked: 1, lost: 1 }]);
  });

  it('fails with what the server said last when it ends', async () => {
    await expect(measure(fixture('dying-server'), workload(PUBLISH))).rejects.toThrow('out of messages');
  });
});
