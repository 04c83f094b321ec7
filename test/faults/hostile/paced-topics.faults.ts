import { setImmediate as nextTurn } from 'node:timers/promises';
import { OnSubscribe, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const MB = 1_048_576;
const PAD = 'x'.repeat(65_536);

/** Dead peers are not what this is about. */
const PATIENT = { intervalMs: 60_000, timeoutMs: 60_000 };

@TopicGateway('map:{city}', {
  delivery: { slow: 'latest', key: ({ payload }) => (payload as { key: string }).key },
})
class MapTopic {
  @OnSubscribe()
  enter() {
    return true;
  }
}

const stage = (more: RealtimeLimits = {}) =>
  Scene.set({
    providers: [MapTopic],
    options: {
      heartbeat: PATIENT,
      limits: { writeStallMs: 60_000, commandsPerSecond: Infinity, commandBurst: Infinity, ...more },
    },
  });

async function publish({ app }: Scene, key: string, pad = PAD): Promise<void> {
  await app.realtime.publish('map:1', { type: 'moved', payload: { key, pad } });
  await nextTurn();
}

/** A reader of the topic that reads no more. */
async function stopped(scene: Scene): Promise<RawGuest> {
  const guest = await scene.raw();
  const [connection] = await scene.app.realtime.connectionsOf(guest.userId);
  await scene.app.realtime.subscribe(connection!.id, 'map:1');
  guest.pause();
  return guest;
}

/** Publishes until the buffers of the kernel are full for all of them. */
async function fill(scene: Scene, guests: readonly RawGuest[]): Promise<void> {
  for (let sent = 0; guests.some(({ serverSide }) => serverSide.writableLength === 0); sent++) {
    expect(sent).toBeLessThan(2_000);
    await publish(scene, 'fill');
  }
}

describe('readers of the latest values that read nothing', () => {
  it('are kept, and take memory for each key once, however many they are and however long it goes on', async () => {
    const scene = await stage();
    const guests = [];
    for (let n = 0; n < 4; n++) guests.push(await stopped(scene));
    await fill(scene, guests);
    for (let n = 0; n < 8; n++) await publish(scene, `${n}`);
    const before = await heldBytes();
    for (let n = 0; n < 2_000; n++) await publish(scene, `${n % 8}`);
    expect((await heldBytes()) - before).toBeLessThan(MB);
    const open = await Promise.all(guests.map(({ userId }) => scene.app.realtime.isOnline(userId)));
    expect(open).toEqual(guests.map(() => true));
  });

  it('are closed as slow consumers when keys have no end, and harm nobody', async () => {
    const scene = await stage();
    const guest = await stopped(scene);
    await fill(scene, [guest]);
    for (let n = 0; n < 40; n++) await publish(scene, `${n}`);
    expect([(await scene.endOf(guest)).code, await scene.harm()]).toEqual([3008, NO_HARM]);
  });

  it('twin: stay with sendQueueBytes: Infinity, and take memory for every key', async () => {
    const scene = await stage({ sendQueueBytes: Infinity, totalSendQueueBytes: Infinity });
    const guest = await stopped(scene);
    await fill(scene, [guest]);
    const before = await heldBytes();
    for (let n = 0; n < 40; n++) await publish(scene, `${n}`);
    expect((await heldBytes()) - before).toBeGreaterThan(2 * MB);
    expect(await scene.app.realtime.isOnline(guest.userId)).toBe(true);
  });
});

describe('a client that changes its rate all the time', () => {
  it('harms nobody, and leaves nothing behind', async () => {
    const scene = await stage();
    const guest = await scene.app.connectAs('flapper');
    for (let n = 0; n < 200; n++) {
      guest.send({ action: 'subscribe', topic: 'map:1', maxRateHz: 0.1 + (n % 50) });
      if (n % 10 === 0) await publish(scene, 'a', '');
    }
    await guest.settled();
    await guest.close();
    expect(await scene.harm()).toEqual(NO_HARM);
  });
});
