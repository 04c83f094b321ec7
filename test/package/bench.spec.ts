import { describe, expect, it } from 'vitest';
import { EVENTS } from '../../bench/dialect.js';
import { measure } from '../../bench/measure.js';
import { CLUSTER_ROWS, OURS, type Row } from '../../bench/rows.js';
import type { Deed, Workload } from '../../bench/workload.js';
import { REPOSITORY } from './repository.js';

const CONNECTIONS = 20;
const SUBSCRIBERS = 5;

function workload(...deeds: readonly Deed[]): Workload {
  const phases = deeds.map((deed) => ({ ...deed, warmUpMs: 50, durationMs: 100 }));
  return { name: 'short', connections: CONNECTIONS, topics: 4, subscribersPerTopic: SUBSCRIBERS, phases };
}

const PUBLISH: Deed = { kind: 'publish', to: 'everybody', outstanding: 1 };

function fixture(name: string): Row {
  return { name, program: `../test/package/fixtures/${name}.ts`, cwd: REPOSITORY, dialect: EVENTS };
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

  it('says how many deliveries a server has lost, and measures nothing behind them', async () => {
    const { phases } = await measure(fixture('losing-server'), workload(PUBLISH, PUBLISH));
    expect(phases.map(({ asked, lost }) => ({ asked, lost }))).toEqual([{ asked: 1, lost: 1 }]);
  });

  it('fails with what the server said last when it ends', async () => {
    await expect(measure(fixture('dying-server'), workload(PUBLISH))).rejects.toThrow('out of messages');
  });
});
