import type { RealtimeHeartbeatOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame, OPCODE, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const INTERVAL_MS = 20;

/** The good client answers its pings; the raw ones do not, as if their cables had been pulled. */
function stage(heartbeat: RealtimeHeartbeatOptions): Promise<Scene> {
  const limits = { writeStallMs: Infinity };
  return Scene.set({ options: { limits, heartbeat: { intervalMs: INTERVAL_MS, ...heartbeat } } });
}

/** A client that was there, in rooms, and is gone without a word: nothing is read, nothing comes. */
async function vanished(scene: Scene): Promise<RawGuest> {
  const guest = await scene.raw();
  for (const { id } of await scene.app.realtime.connectionsOf(guest.userId)) {
    await scene.app.realtime.subscribe(id, 'room:1');
  }
  guest.pause();
  return guest;
}

/** How many pings the good client got until the other one was given up. */
async function pingsUntilEndOf(scene: Scene, guest: RawGuest): Promise<{ code: number; pings: number }> {
  (scene.good.pending as unknown[]).length = 0;
  const { code } = await scene.endOf(guest);
  return { code, pings: scene.good.pending.filter(({ type }) => type === 'realtime:ping').length };
}

describe('a client that vanishes without a word', () => {
  it('is given up within the interval and the timeout, and nothing else', async () => {
    const scene = await stage({ timeoutMs: 100 });
    const guest = await vanished(scene);
    const { code, pings } = await pingsUntilEndOf(scene, guest);
    // The beat in which it is noticed, and one under way.
    expect(pings).toBeLessThanOrEqual(1 + 100 / INTERVAL_MS + 2);
    expect([code, await scene.harm()]).toEqual([3012, NO_HARM]);
  });

  it('is on no topic from then on', async () => {
    const scene = await stage({ timeoutMs: 100 });
    const guest = await vanished(scene);
    const before = await scene.app.realtime.subscribersOf('room:1');
    await scene.endOf(guest);
    expect([before.length, await scene.app.realtime.subscribersOf('room:1')]).toEqual([1, []]);
  });

  it('is given up although much waits for it', async () => {
    const scene = await stage({ timeoutMs: 100 });
    const guest = await vanished(scene);
    const { userId } = guest;
    while (guest.serverSide.writableLength === 0) {
      const { recipients } = await scene.app.realtime.sendToUser(userId, { type: 'news', payload: 'x'.repeat(65_536) });
      if (recipients === 0) break;
      await new Promise(setImmediate);
    }
    expect([(await scene.endOf(guest)).code, await scene.harm()]).toEqual([3012, NO_HARM]);
  });

  it('is given up like 200 others at the same time', async () => {
    const scene = await stage({ timeoutMs: 100 });
    const guests: RawGuest[] = [];
    for (let n = 0; n < 200; n++) guests.push(await vanished(scene));
    const ends = await scene.during(() => Promise.all(guests.map((guest) => scene.endOf(guest))));
    expect([new Set(ends.map(({ code }) => code)), await scene.harm()]).toEqual([new Set([3012]), NO_HARM]);
  });

  it('twin: with a timeoutMs of weeks stays', async () => {
    const scene = await stage({ timeoutMs: 2_147_483_647 });
    const guest = await vanished(scene);
    (scene.good.pending as unknown[]).length = 0;
    for (let beat = 0; beat < 30; beat++) await scene.good.next('realtime:ping');
    expect(await scene.app.realtime.connectionsOf(guest.userId)).toHaveLength(1);
  });
});

describe('a client that answers no pings', () => {
  it.each([
    ['pongs that nobody asked for', rawFrame({ opcode: OPCODE.pong })],
    ['commands', commandFrame({ action: 'ping' })],
    ['mistakes', rawFrame({ payload: 'hello' })],
  ])('stays as long as it sends %s', async (_what, bytes) => {
    const scene = await stage({ timeoutMs: 100 });
    const guest = await scene.raw();
    for (let beat = 1; beat <= 15; beat++) {
      await guest.receives(OPCODE.ping, beat);
      await guest.write(bytes);
    }
    expect(await scene.app.realtime.connectionsOf(guest.userId)).toHaveLength(1);
  });

  it.each([
    ['pings', rawFrame({ opcode: OPCODE.ping })],
    ['the bytes of a frame that never ends', Buffer.from([0x81])],
  ])('is given up although it sends %s', async (_what, bytes) => {
    const scene = await stage({ timeoutMs: 100 });
    const guest = await scene.raw();
    const end = scene.endOf(guest);
    for (let beat = 1; beat <= 3; beat++) {
      await guest.receives(OPCODE.ping, beat);
      await guest.write(bytes);
    }
    expect((await end).code).toBe(3012);
  });
});
