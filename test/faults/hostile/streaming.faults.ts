import { setImmediate as nextTurn } from 'node:timers/promises';
import { CancelSignal, OnMessage, TopicGateway } from 'nestjs-realtime';
import { Observable } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const KB = 1_024;
const MB = 1_024 * KB;

/** More than the buffers of the kernel hold. */
const MOST = 64 * MB;

/** How many items producers were asked for, and how many producers that never end have begun, and how many have ended. */
let asked: number;
let begun: number;
let ended: number;

function item(): string {
  asked += 1;
  return `${asked}`.padEnd(16 * KB, 'x');
}

@TopicGateway('job')
class JobTopic {
  @OnMessage('pull', { requireSubscription: false })
  async *pull() {
    try {
      while (asked * 16 * KB < MOST) {
        yield item();
        await nextTurn();
      }
    } finally {
      ended += 1;
    }
  }

  @OnMessage('endless', { requireSubscription: false })
  async *endless() {
    begun += 1;
    try {
      for (;;) yield (asked += 1);
    } finally {
      ended += 1;
    }
  }

  /** What was possible before: nothing tells the producer that nobody reads. */
  @OnMessage('push', { requireSubscription: false })
  push() {
    return new Observable((observer) => {
      const work = async () => {
        while (!observer.closed && asked * 16 * KB < MOST) {
          observer.next(item());
          await nextTurn();
        }
      };
      void work();
      return () => void (ended += 1);
    });
  }

  @OnMessage('wait', { requireSubscription: false })
  async *wait(@CancelSignal() signal: AbortSignal) {
    try {
      yield (asked += 1);
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    } finally {
      ended += 1;
    }
  }
}

beforeEach(() => {
  asked = 0;
  begun = 0;
  ended = 0;
});

const stage = (limits: object = {}) =>
  Scene.set({ providers: [JobTopic], options: { limits: { ...limits }, heartbeat: { intervalMs: 20 } } });

/** A reader that asks for a stream and does not read it. */
async function stalled(scene: Scene, type: string) {
  const guest = await scene.raw();
  guest.pause();
  await guest.write(commandFrame({ action: 'message', id: 1, topic: 'job', type }));
  return guest;
}

/** Waits until producers have been asked for nothing for many turns. @returns the number of items */
async function askedInTheEnd(): Promise<number> {
  let before = -1;
  for (let quiet = 0; quiet < 500; quiet++) {
    if (asked !== before) quiet = 0;
    before = asked;
    await nextTurn();
  }
  return asked;
}

describe('a reader that stops reading its stream', () => {
  const patient = { writeStallMs: Infinity };

  it('makes the producer wait, and the heap stays as it is', async () => {
    const scene = await stage(patient);
    const before = await heldBytes();
    const guest = await stalled(scene, 'pull');
    const count = await scene.during(askedInTheEnd);
    expect([count * 16 * KB < MOST, ended]).toEqual([true, 0]);
    expect(guest.serverSide.writableLength).toBeLessThan(256 * KB);
    // The connection itself takes some of it.
    expect((await heldBytes()) - before).toBeLessThan(4 * MB);
    expect(await scene.harm()).toEqual(NO_HARM);
    expect(ended).toBe(1);
  });

  it('goes on with the next item when it reads again', async () => {
    const scene = await stage(patient);
    const guest = await stalled(scene, 'pull');
    const count = await askedInTheEnd();
    guest.client.socket.resume();
    await expect.poll(() => asked).toBeGreaterThan(count);
  });

  it('is closed as slow after writeStallMs, which ends the producer', async () => {
    const scene = await stage({ writeStallMs: 100 });
    const guest = await stalled(scene, 'pull');
    expect((await scene.endOf(guest)).code).toBe(3008);
    await expect.poll(() => ended).toBe(1);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: an Observable that asks nobody gives all that it has', async () => {
    const scene = await stage({ ...patient, sendQueueBytes: Infinity });
    const guest = await stalled(scene, 'push');
    const count = await askedInTheEnd();
    expect([count * 16 * KB, guest.serverSide.writableLength > 16 * MB]).toEqual([MOST, true]);
  });
});

describe('20 clients with endless streams that give the event loop no break', () => {
  const COUNT = 20;

  async function crowd(scene: Scene) {
    const guests = await Promise.all(Array.from({ length: COUNT }, () => scene.raw()));
    for (const guest of guests) {
      // What it has read is not kept.
      guest.client.socket.removeAllListeners('data').resume();
      await guest.write(commandFrame({ action: 'message', id: 1, topic: 'job', type: 'endless' }));
    }
    return guests;
  }

  /** Lets the streams run while the good client is served some messages. */
  async function run(scene: Scene): Promise<void> {
    await scene.during(() => expect.poll(() => begun).toBe(COUNT));
    const before = asked;
    await scene.during(() => expect.poll(() => asked).toBeGreaterThan(before + 1_000));
  }

  it('do not keep another one from being served', async () => {
    const scene = await stage();
    await crowd(scene);
    await run(scene);
    expect(await scene.harm()).toEqual(NO_HARM);
    await expect.poll(() => ended).toBe(COUNT);
  });

  it('end in the middle when the node drains', async () => {
    const scene = await stage();
    const guests = await crowd(scene);
    await run(scene);
    const drained = scene.app.realtime.drain();
    await Promise.all(guests.map((guest) => scene.endOf(guest)));
    // They would never answer the close frame.
    for (const { client } of guests) client.socket.destroy();
    await drained;
    await expect.poll(() => ended).toBe(COUNT);
  });
});

describe('1,000 streams of one connection', () => {
  const COUNT = 1_000;
  const ids = Array.from({ length: COUNT }, (_, n) => n);
  const roomy = { mailboxSize: COUNT, commandBurst: Infinity, commandsPerSecond: Infinity };

  async function begin(scene: Scene) {
    const guest = await scene.raw();
    await guest.write(
      Buffer.concat(ids.map((id) => commandFrame({ action: 'message', id, topic: 'job', type: 'wait' }))),
    );
    await expect.poll(() => asked).toBe(COUNT);
    return guest;
  }

  it('end when they are cancelled at once, and leave their places', async () => {
    const scene = await stage(roomy);
    const guest = await begin(scene);
    await scene.during(() => guest.write(Buffer.concat(ids.map((id) => commandFrame({ action: 'cancel', id })))));
    await expect.poll(() => ended).toBe(COUNT);
    await expect.poll(() => guest.said.filter(({ type }) => type === 'realtime:complete')).toHaveLength(COUNT);
    await guest.write(commandFrame({ action: 'message', id: 'next', topic: 'job', type: 'wait' }));
    expect(await guest.answer('next')).toMatchObject({ type: 'realtime:reply' });
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('end when the connection is cut', async () => {
    const scene = await stage(roomy);
    const guest = await begin(scene);
    guest.client.socket.destroy();
    await expect.poll(() => ended).toBe(COUNT);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('leave no memory behind', async () => {
    const scene = await stage(roomy);
    const first = await begin(scene);
    first.client.socket.destroy();
    await expect.poll(() => ended).toBe(COUNT);
    const before = await heldBytes();
    for (let round = 0; round < 3; round++) {
      asked = 0;
      ended = 0;
      const guest = await begin(scene);
      guest.client.socket.destroy();
      await expect.poll(() => ended).toBe(COUNT);
    }
    // 3,000 streams that were kept would hold more.
    expect((await heldBytes()) - before).toBeLessThan(2 * MB);
  });
});
