import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const KB = 1_024;
const MB = 1_024 * KB;
const CHUNK = 'x'.repeat(64 * KB);

/** Dead peers are not what this is about; the pings count the time. */
const PATIENT = { intervalMs: 20, timeoutMs: 60_000 };

const stage = (limits: RealtimeLimits = {}) => Scene.set({ options: { limits, heartbeat: PATIENT } });

/** Sends to one client alone until so many bytes wait for it, or it is cut off. @returns the most that ever waited */
async function fill({ app }: Scene, { userId, serverSide }: RawGuest, bytes: number, chunk = CHUNK): Promise<number> {
  let most = 0;
  // The kernel's buffers come first, and take some megabytes.
  for (let sent = 0; serverSide.writableLength < bytes && sent < 4_000; sent++) {
    const { recipients } = await app.realtime.sendToUser(userId, { type: 'flood', payload: chunk });
    if (recipients === 0) break;
    await nextTurn();
    most = Math.max(most, serverSide.writableLength);
  }
  return most;
}

/** Waits for so many beats of the server's heart. */
async function beats({ good }: Scene, count: number): Promise<void> {
  (good.pending as unknown[]).length = 0;
  for (let beat = 0; beat < count; beat++) await good.next('realtime:ping');
}

/** Reads what the kernel has at the moment, which is 64 KB at most, and no more. */
async function sip({ client: { socket } }: RawGuest): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.pause();
      for (const event of ['data', 'close']) socket.off(event, done);
      resolve();
    };
    for (const event of ['data', 'close']) socket.on(event, done);
    socket.resume();
  });
}

/** A client that does not read. */
async function stopped(scene: Scene): Promise<RawGuest> {
  const guest = await scene.raw();
  guest.pause();
  return guest;
}

describe('a client that reads nothing', () => {
  it('is closed with 3008 when 1 MB waits for it, and nothing else', async () => {
    const scene = await stage();
    const guest = await stopped(scene);
    const most = await scene.during(() => fill(scene, guest, Infinity));
    expect([(await scene.endOf(guest)).code, await scene.harm()]).toEqual([3008, NO_HARM]);
    expect(most).toBeLessThanOrEqual(MB + 66 * KB);
  });

  it('leaves no memory behind', async () => {
    const scene = await stage();
    await fill(scene, await stopped(scene), Infinity);
    await scene.harm();
    const before = await heldBytes();
    for (let client = 0; client < 5; client++) await fill(scene, await stopped(scene), Infinity);
    await scene.harm();
    expect((await heldBytes()) - before).toBeLessThan(MB);
  });

  it('twin: with sendQueueBytes: Infinity has ever more waiting for it', async () => {
    const scene = await stage({ sendQueueBytes: Infinity, writeStallMs: Infinity });
    expect(await fill(scene, await stopped(scene), 8 * MB)).toBeGreaterThanOrEqual(8 * MB);
  });
});

describe('a client that reads, but less than is sent to it', () => {
  /** Sends four times as much as is read. */
  async function outpace(scene: Scene, guest: RawGuest, rounds: number): Promise<number> {
    let most = 0;
    for (let round = 0; round < rounds && (await scene.app.realtime.connectionsOf(guest.userId)).length > 0; round++) {
      for (let sent = 0; sent < 4; sent++) {
        await scene.app.realtime.sendToUser(guest.userId, { type: 'flood', payload: CHUNK });
        await nextTurn();
        most = Math.max(most, guest.serverSide.writableLength);
      }
      await sip(guest);
    }
    return most;
  }

  it('is closed with 3008 all the same', async () => {
    const scene = await stage();
    const guest = await stopped(scene);
    const most = await scene.during(() => outpace(scene, guest, 1_000));
    expect([(await scene.endOf(guest)).code, await scene.harm()]).toEqual([3008, NO_HARM]);
    expect(most).toBeLessThanOrEqual(MB + 66 * KB);
  });

  it('twin: with sendQueueBytes: Infinity has more and more waiting for it', async () => {
    const scene = await stage({ sendQueueBytes: Infinity });
    expect(await outpace(scene, await stopped(scene), 100)).toBeGreaterThan(2 * MB);
  });
});

describe('a client that takes nothing of the little that waits for it', () => {
  it('is ended as too slow when writeStallMs have passed', async () => {
    const scene = await stage({ writeStallMs: 100 });
    const guest = await stopped(scene);
    await scene.during(() => fill(scene, guest, 1));
    expect([(await scene.endOf(guest)).code, await scene.harm()]).toEqual([3008, NO_HARM]);
  });

  it('twin: with writeStallMs: Infinity stays', async () => {
    const scene = await stage({ writeStallMs: Infinity });
    const guest = await stopped(scene);
    await fill(scene, guest, 1);
    await beats(scene, 30);
    expect(await scene.app.realtime.connectionsOf(guest.userId)).toHaveLength(1);
  });
});

describe('clients that do not read, who together have more waiting than totalSendQueueBytes', () => {
  const limits = { sendQueueBytes: Infinity, writeStallMs: Infinity };
  let far: RawGuest;
  let near: RawGuest;
  let last: RawGuest;

  async function crowd(totalSendQueueBytes: number): Promise<Scene> {
    const scene = await stage({ ...limits, totalSendQueueBytes });
    [far, near, last] = [await stopped(scene), await stopped(scene), await stopped(scene)];
    await fill(scene, far, 2 * MB);
    await fill(scene, near, MB);
    await fill(scene, last, 1.5 * MB);
    return scene;
  }

  it('lose the one that is furthest behind, and nobody else', async () => {
    const scene = await crowd(4 * MB);
    expect((await scene.endOf(far)).code).toBe(3008);
    expect(await scene.app.realtime.counts()).toMatchObject({ connections: 3 });
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('never have more waiting than that', async () => {
    await crowd(4 * MB);
    const waiting = [far, near, last].reduce((sum, { serverSide }) => sum + serverSide.writableLength, 0);
    expect(waiting).toBeLessThanOrEqual(4 * MB);
  });

  it('twin: with totalSendQueueBytes: Infinity all stay, with all that waits for them', async () => {
    const scene = await crowd(Infinity);
    const waiting = [far, near, last].reduce((sum, { serverSide }) => sum + serverSide.writableLength, 0);
    expect([waiting > 4 * MB, (await scene.app.realtime.counts()).connections]).toEqual([true, 4]);
  });
});

describe('one client that does not read, among 200 that do', () => {
  const OTHERS = 200;
  const NEWS = 'x'.repeat(4 * KB);

  /** Publishes to all until the slow client is closed; all others must receive each message before the next one. */
  async function tellAll(limits: RealtimeLimits, maxRounds: number) {
    const scene = await stage({ ...limits, writeStallMs: Infinity, maxUnauthenticatedPerIp: Infinity });
    const others = await Promise.all(Array.from({ length: OTHERS }, (_, n) => scene.app.connectAs(`other-${n}`)));
    const slow = await stopped(scene);
    await fill(scene, slow, 1, NEWS);
    let rounds = 0;
    let worstMs = 0;
    while (rounds < maxRounds && (await scene.app.realtime.connectionsOf(slow.userId)).length > 0) {
      const start = performance.now();
      await scene.app.realtime.broadcast({ type: 'news', payload: NEWS });
      await Promise.all(others.map((other) => other.next('news')));
      worstMs = Math.max(worstMs, performance.now() - start);
      rounds += 1;
    }
    return { scene, slow, rounds, worstMs };
  }

  it('does not keep any of them from what they are sent until it is cut off', async () => {
    const { scene, slow, rounds } = await tellAll({ sendQueueBytes: 128 * KB }, 500);
    expect((await scene.endOf(slow)).code).toBe(3008);
    expect(rounds).toBeGreaterThan(10);
  });

  it('twin: with sendQueueBytes: Infinity is not cut off at all', async () => {
    const { slow } = await tellAll({ sendQueueBytes: Infinity }, 100);
    expect(slow.serverSide.writableLength).toBeGreaterThan(300 * KB);
  });
});
