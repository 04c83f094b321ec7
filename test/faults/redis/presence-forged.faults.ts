import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RedisBackendOptions } from '../../../lib/adapters/redis/index.js';
import { encodeFrame } from '../../../lib/core/bus/bus-frame.js';
import type { PresenceLink } from '../../../lib/core/presence/presence-position.js';
import { ToldPicture } from '../../../lib/core/presence/told-picture.js';
import { topic } from '../../../lib/core/routing/address.js';
import { startRedis } from '../../helpers/redis-server.js';
import { envelopeOf, Mallory } from './mallory.js';
import { ROOM, startPresenceApp, Watcher } from './presence-scene.js';

const PATIENT = { timeout: 20_000, interval: 20 };
const SIGNED = { secret: { sign: 'the secret of this test, long enough' } };
/** The picture is whole soon. */
const QUICK = { leaseRefreshMs: 250, leaseTtlMs: 1_000 };
const FAR = 1e15;

/**
 * Ann is in a room that is watched, and Mallory publishes the news that she has come, too.
 * @param place where among the changes of the room
 */
async function forge(place: (last: PresenceLink) => Partial<PresenceLink>, over: Partial<RedisBackendOptions> = {}) {
  const compared = vi.spyOn(ToldPicture.prototype, 'compare');
  onTestFinished(() => compared.mockRestore());
  const redis = await startRedis();
  const app = await startPresenceApp(redis, { ...QUICK, ...over });
  const comes = async (userId: string) => {
    await (await app.connectAs(userId)).request({ action: 'subscribe', topic: ROOM });
  };
  const watcher = await Watcher.join(app, 'watcher');
  await comes('ann');
  await expect.poll(() => watcher.picture(), PATIENT).toEqual(['ann', 'watcher']);
  // Until then the node compares again and again.
  await expect.poll(() => compared.mock.calls.some(([{ isWhole }]) => isWhole), PATIENT).toBe(true);
  const [, sequence] = (await redis.cli('HGET', `realtime@0:present:${ROOM}`, '')).split(' ').map(Number);
  const epoch = (await redis.cli('HGET', 'realtime@0:presence', 'epoch')).trim();
  const last = { epoch, sequence: sequence!, previous: sequence! };
  const at = { ...last, ...place(last) };
  const mallory = await Mallory.connect(redis);
  const news = envelopeOf(topic(ROOM), { kind: 'joined', userId: 'mallory', at });
  // As the scripts do, in the name of the epoch, and with the number of the change.
  await mallory.say(`realtime@0:topic:${ROOM}`, encodeFrame({ ...news, origin: at.epoch, sequence: at.sequence }));
  await expect.poll(async () => (await watcher.picture(), watcher.news), PATIENT).toContain('joined mallory');
  return { watcher, comes };
}

describe('A forged join', () => {
  it.each([
    ['without a secret', {}],
    ['with a secret', SIGNED],
  ])('far ahead of all changes is repaired, %s, and what happens afterwards is told', async (_how, over) => {
    const { watcher, comes } = await forge(() => ({ sequence: FAR }), over);
    await expect.poll(() => watcher.picture(), PATIENT).toEqual(['ann', 'watcher']);
    await comes('bob');
    await expect.poll(() => watcher.picture(), PATIENT).toEqual(['ann', 'bob', 'watcher']);
    expect(watcher.odd).toEqual([]);
  });

  it.each<[where: string, place: (last: PresenceLink) => Partial<PresenceLink>]>([
    ['behind a gap', ({ sequence }) => ({ sequence: FAR, previous: sequence + 1 })],
    ['in the place of the next change', ({ sequence }) => ({ sequence: sequence + 1 })],
    ['in another epoch', () => ({ epoch: 'forged', sequence: FAR })],
  ])('%s is repaired, and what happens meanwhile is told', async (_where, place) => {
    const { watcher, comes } = await forge(place);
    await comes('bob');
    await expect.poll(() => watcher.picture(), PATIENT).toEqual(['ann', 'bob', 'watcher']);
    expect(watcher.odd).toEqual([]);
  });

  it('would stay if the numbers were not looked at', async () => {
    const look = vi.spyOn(ToldPicture.prototype, 'look').mockImplementation(() => undefined);
    onTestFinished(() => look.mockRestore());
    const { watcher } = await forge(() => ({ sequence: FAR }));
    await delay(6_000);
    expect(await watcher.picture()).toEqual(['ann', 'mallory', 'watcher']);
  });
});
