import { OnSubscribe, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AnswerPacing } from '../../../lib/gateway/session/answer-pacing.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { heldBytes } from '../../helpers/heap.js';
import { PausingClient } from '../../helpers/pausing-client.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

const TOPIC = 'feed:1';
const COUNT = 1_000;
const MB = 1_048_576;
const DEADLINE = { timeout: 90_000, interval: 200 };

@TopicGateway('feed:{name}', { history: { size: COUNT, ttlMs: 600_000 } })
class FeedTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

const UNLIMITED = { sendQueueBytes: Infinity, totalSendQueueBytes: Infinity, writeStallMs: Infinity };

/** An application whose topic has 1,000 publications. */
async function start(payload: string, limits: RealtimeLimits = {}): Promise<{ app: RealtimeApp; epoch: string }> {
  const app = await startRealtimeApp({
    providers: [FeedTopic],
    options: { limits: { maxConnections: 5_000, ...limits } },
  });
  let epoch = '';
  for (let n = 0; n < COUNT; n++) {
    epoch = (await app.realtime.publish(TOPIC, { type: 'entry', payload }, { report: false })).epoch!;
  }
  return { app, epoch };
}

async function crowd(app: RealtimeApp, size: number): Promise<PausingClient[]> {
  const clients: PausingClient[] = [];
  for (let n = 0; n < size; n += 50) {
    const some = Array.from({ length: Math.min(50, size - n) }, (_, at) => PausingClient.to(app, `user-${n + at}`));
    clients.push(...(await Promise.all(some)));
  }
  return clients;
}

const waitingFor = (clients: readonly PausingClient[]) =>
  clients.reduce((sum, { serverSide }) => sum + serverSide.writableLength, 0);

describe('1,000 clients that come back at once, each of which has missed 1,000 publications', () => {
  it('get all of them once and in order, while others are served', async () => {
    const crashes = watchForCrashes();
    const { app, epoch } = await start('x'.repeat(100));
    const bystander = await app.connectAs('bystander');
    const clients = await crowd(app, 1_000);
    for (const client of clients) client.recover(TOPIC, epoch, 0);
    await app.realtime.sendToUser('bystander', { type: 'hello' });
    await bystander.next('hello', 60_000);
    const done = () => clients.filter((client) => client.placeIn(TOPIC).offset === COUNT).length;
    await expect.poll(done, DEADLINE).toBe(clients.length);
    expect(clients.filter((client) => client.placeIn(TOPIC).violation ?? client.placeIn(TOPIC).losses > 0)).toEqual([]);
    expect(crashes).toEqual([]);
  });
});

describe('clients that recover 10 MB each and read none of it', () => {
  const PAYLOAD = 'x'.repeat(10_000);

  /** Lets so many begin, and waits until the server can give them nothing more. @returns the bytes that wait, and those held */
  async function stall(size: number): Promise<{ readonly waiting: number; readonly held: number }> {
    const { app, epoch } = await start(PAYLOAD, UNLIMITED);
    const clients = await crowd(app, size);
    const before = await heldBytes();
    for (const client of clients) {
      client.pause();
      client.recover(TOPIC, epoch, 0);
    }
    await expect.poll(() => clients.every(({ serverSide }) => serverSide.writableLength > 0), DEADLINE).toBe(true);
    await delay(300);
    return { waiting: waitingFor(clients), held: (await heldBytes()) - before };
  }

  it('take memory for about one page each', async () => {
    const { waiting, held } = await stall(50);
    expect(waiting).toBeLessThan(50 * 2 * 65_536);
    expect(held).toBeLessThan(30 * MB);
  });

  it('twin: without waiting until they read, take memory for nearly all of it', async () => {
    const spy = vi.spyOn(AnswerPacing.prototype, 'wait').mockReturnValue(undefined);
    onTestFinished(() => spy.mockRestore());
    const { waiting } = await stall(5);
    expect(waiting).toBeGreaterThan(5 * MB);
  });
});
