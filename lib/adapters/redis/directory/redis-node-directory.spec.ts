import { expect, it } from 'vitest';
import { hashSlot } from '../connection/hash-slot.js';
import { RedisChannels } from '../connection/redis-channels.js';
import { RedisNodeDirectory } from './redis-node-directory.js';

const LONG_AGO = -1e9;

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
