import { expect, it } from 'vitest';
import { startRedis } from '../../helpers/redis-server.js';
import { startPresenceApp } from './presence-scene.js';

/** On the way to Redis, in milliseconds: longer than it takes to send one client away. */
const UNDER_WAY_MS = 150;

/** The user comes back within the grace period, however busy the machine is. */
const PATIENT = { options: { presence: { online: true, graceMs: 60_000 } } };

it('A node that closes while a user is reported tells that the user is online, since no other node will', async () => {
  const redis = await startRedis();
  const [closing, other] = [await startPresenceApp(redis, {}, PATIENT), await startPresenceApp(redis, {}, PATIENT)];
  closing.proxy.delay(UNDER_WAY_MS);
  await closing.connectAs('ann');
  await closing.app.close();
  await other.connectAs('ann');
  await other.connectAs('bob');
  await expect.poll(() => other.events).toContain('online bob');
  expect(closing.events).toEqual(['online ann']);
  expect(other.events).toEqual(['online bob']);
});
