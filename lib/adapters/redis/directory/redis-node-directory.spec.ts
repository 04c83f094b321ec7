import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { decodeLease, encodeLease } from '../../../core/bus/node-lease.js';
import { hashSlot } from '../connection/hash-slot.js';
import { RedisChannels } from '../connection/redis-channels.js';
import { leasesScript } from './leases-script.js';
import { RedisNodeDirectory } from './redis-node-directory.js';

const LONG_AGO = -1e9;
const PATIENT = { timeout: 10_000, interval: 5 };

it.each([
  ['known', LONG_AGO, 0, true],
  ['unknown', 0, LONG_AGO, false],
])('the fleet is %s by the uptime of the server that keeps the leases', (_, ofLeases, ofOthers, isKnown) => {
  const channels = new RedisChannels('app', 0, 64);
  const slotOfLeases = hashSlot(channels.leases[0]);
  const serverOfSlot = (slot: number) => ({
    startedBy: performance.now() + (slot === slotOfLeases ? ofLeases : ofOthers),
  });
  const settings = { leaseRefreshMs: 5_000, leaseTtlMs: 15_000 };
  const directory = new RedisNodeDirectory({ serverOfSlot } as never, channels, {} as never, settings);
  expect([directory.isFleetKnown, directory.isEveryNodeAttached]).toEqual([isKnown, isKnown]);
});

it('the fleet is unknown while the server that keeps the leases is', () => {
  const network = { serverOfSlot: () => undefined } as never;
  const settings = { leaseRefreshMs: 5_000, leaseTtlMs: 15_000 };
  const directory = new RedisNodeDirectory(network, new RedisChannels('app', 0, 64), {} as never, settings);
  expect(directory.isFleetKnown).toBe(false);
});

describe('while the leases are being read', () => {
  const COUNTS = { connections: 0, users: 0, topics: 0, subscriptions: 0 };
  const leaseOf = (id: string) => [id, encodeLease({ startedAt: new Date(0), isAttached: true, ...COUNTS }), 10_000];

  /** A directory whose requests are answered by the test. */
  async function started() {
    const requests: { readonly lease: string; readonly answer: (ids: readonly string[]) => void }[] = [];
    const run = vi.spyOn(leasesScript, 'run').mockImplementation(
      (_server, _keys, [, , lease = '']) =>
        new Promise((resolve) => {
          requests.push({ lease, answer: (ids) => resolve([-1, ...ids.flatMap(leaseOf)]) });
        }),
    );
    onTestFinished(() => run.mockRestore());
    const transport = { next: () => ({ origin: 'a', sequence: 1 }), tell: () => Promise.resolve() };
    const network = { serverOfSlot: () => ({ startedBy: LONG_AGO }), mistrust: () => undefined };
    const settings = { leaseRefreshMs: 60_000, leaseTtlMs: 120_000 };
    const channels = new RedisChannels('app', 0, 0);
    const directory = new RedisNodeDirectory(network as never, channels, transport as never, settings);
    const opened = directory.open({ id: 'a', startedAt: new Date(0), counts: () => COUNTS });
    onTestFinished(() => {
      for (const { answer } of requests) answer([]);
      run.mockResolvedValue([-1]);
      return directory.close();
    });
    requests.at(-1)!.answer([]);
    await opened;
    return { directory, requests };
  }

  it('a node that announces itself is not overlooked: the answer may be older', async () => {
    const { directory, requests } = await started();
    directory.attached(true);
    await vi.waitFor(() => expect(requests).toHaveLength(2), PATIENT);
    directory.heard('b', true, false);
    requests[1]!.answer([]);
    await vi.waitFor(() => expect(requests).toHaveLength(3), PATIENT);
    requests[2]!.answer(['b']);
    await vi.waitFor(() => expect(directory.liveOthers()).toEqual(['b']), PATIENT);
  });

  it('the lease does not go on saying that this node is attached when it is not any more', async () => {
    const { directory, requests } = await started();
    directory.attached(true);
    await vi.waitFor(() => expect(requests).toHaveLength(2), PATIENT);
    directory.attached(false);
    requests[1]!.answer([]);
    await vi.waitFor(() => expect(requests).toHaveLength(3), PATIENT);
    expect(requests.map(({ lease }) => decodeLease('a', lease, (ms) => new Date(ms))?.isAttached)).toEqual([
      false,
      true,
      false,
    ]);
  });
});
