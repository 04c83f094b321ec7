import { MessageBody, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Guest } from '../../helpers/realtime-app.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  enter(@MessageBody() info: unknown) {
    return { info: info ?? null };
  }
}

const WATCHERS = 50;
/** What one account may send at once, with the default limits. */
const COMMANDS = 400;
const WINDOW_MS = 250;
const TOPIC = 'room:1';

/** What the watchers of the room were told of one account. */
interface Told {
  readonly scene: Scene;
  readonly frames: number;
  readonly bytes: number;
  /** The bytes that the account has sent. */
  readonly sent: number;
  /** The most changes that one watcher may be told in the time that it took. */
  readonly most: number;
  /** The last change that each watcher was told. */
  readonly last: readonly string[];
}

/** A room of watchers, and an account that sends as many commands as it may. @param atLeast the frames to wait for */
async function attack(command: (n: number) => object, coalesceMs?: number, atLeast = 0): Promise<Told> {
  const presence = coalesceMs === undefined ? {} : { coalesceMs };
  const limits = { acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity };
  const scene = await Scene.set({ providers: [RoomTopic], options: { presence, limits } });
  const watchers = await Promise.all(Array.from({ length: WATCHERS }, (_, n) => scene.app.connectAs(`watcher-${n}`)));
  for (const watcher of watchers) await watcher.request({ action: 'subscribe', topic: TOPIC, presence: true });
  let [frames, bytes] = [0, 0];
  const last = new Map<Guest, string>();
  for (const watcher of watchers) {
    (watcher.socket as unknown as WebSocket).on('message', (data) => {
      const text = (data as Buffer).toString();
      if (!text.includes('"bad"')) return;
      frames += 1;
      bytes += text.length;
      last.set(watcher, (JSON.parse(text) as { type: string }).type);
    });
  }
  const bad = await scene.app.connectAs('bad');
  let sent = 0;
  const begin = performance.now();
  for (let n = 0; n < COMMANDS; n++) {
    const text = JSON.stringify({ ...command(n), id: n });
    sent += text.length;
    bad.send(text);
  }
  await bad.next(({ id }) => id === COMMANDS - 1);
  await expect.poll(() => frames >= atLeast && watchers.every((watcher) => last.get(watcher) === END)).toBe(true);
  await Promise.all(watchers.map((watcher) => watcher.settled()));
  const most = Math.floor((performance.now() - begin) / WINDOW_MS) + 1;
  const told = { scene, frames, bytes, sent, most, last: [...new Set(last.values())] };
  await Promise.all([...watchers, bad].map((guest) => guest.close()));
  return told;
}

/** Every command sequence ends with a leave. */
const END = 'realtime:left';
const LEAVE = { action: 'unsubscribe', topic: TOPIC };

const ATTACKS: readonly [how: string, command: (n: number) => object][] = [
  ['comes and goes', (n) => (n % 2 === 0 ? { action: 'subscribe', topic: TOPIC } : LEAVE)],
  [
    'comes and goes as a watcher of the room',
    (n) => (n % 2 === 0 ? { action: 'subscribe', topic: TOPIC, presence: true } : LEAVE),
  ],
  [
    'has something else shown of itself again and again',
    (n) => (n < COMMANDS - 1 ? { action: 'subscribe', topic: TOPIC, payload: { n } } : LEAVE),
  ],
];

describe('an account that', () => {
  it.each(ATTACKS)('%s is told of once in a window', async (_how, command) => {
    const { scene, frames, most, last } = await attack(command);
    expect(frames).toBeLessThanOrEqual(most * WATCHERS);
    expect(last).toEqual([END]);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it.each(ATTACKS)('%s: twin: without the window every watcher is told of every command', async (_how, command) => {
    const { frames, bytes, sent } = await attack(command, 0, COMMANDS * WATCHERS);
    expect(frames).toBe(COMMANDS * WATCHERS);
    expect(bytes).toBeGreaterThan(sent * WATCHERS);
  });
});
