import type { Centrifuge, Subscription } from 'centrifuge';
import { MessageBody, OnSubscribe, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TopicPresence } from '../../../lib/gateway/session/topic-presence.js';
import { WsConnectionSocket } from '../../../lib/gateway/socket/ws-connection-socket.js';
import { PausingClient } from '../../helpers/pausing-client.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, sdkFor, subscribed } from '../../helpers/sdk.js';

const LENGTH = 300;
const TEXT = 'x'.repeat(3_000);

@TopicGateway('log:{id}', { history: { size: LENGTH, ttlMs: 600_000 } })
class LogTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

/** Shows 100 KB of each user who says nothing else. */
@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  enter(@MessageBody() info: unknown = 'x'.repeat(100_000)) {
    return { info };
  }
}

/** An application with the rates that the package has by itself, and a topic with 900 KB of history. */
async function start(limits: RealtimeLimits = {}): Promise<RealtimeApp> {
  const app = await startRealtimeApp({
    providers: [LogTopic],
    options: { centrifuge: true, limits: { commandsPerSecond: 20, commandBurst: 100, ...limits } },
  });
  const published = Array.from({ length: LENGTH }, (_, n) =>
    app.realtime.publish('log:1', { type: 'line', payload: `${n} ${TEXT}` }),
  );
  await Promise.all(published);
  return app;
}

/** The connections of an SDK that were closed, by their codes. */
function closesOf(client: Centrifuge): number[] {
  const codes: number[] = [];
  client.on('connecting', ({ code }) => void (code > 0 && codes.push(code)));
  client.on('disconnected', ({ code }) => void codes.push(code));
  return codes;
}

async function arrive(app: RealtimeApp): Promise<{ readonly log: Subscription; readonly closes: readonly number[] }> {
  const client = await connected(sdkFor(app, { token: testToken('ann'), timeout: 20_000 }));
  return { log: await subscribed(client, 'log:1'), closes: closesOf(client) };
}

describe('an SDK that asks for a large history eight times at once', () => {
  const ask = (log: Subscription) => Promise.all(Array.from({ length: 8 }, () => log.history({ limit: LENGTH })));

  it('gets all answers, and stays connected', async () => {
    const { log, closes } = await arrive(await start());
    const answers = await ask(log);
    for (const { publications, offset } of answers) {
      expect([publications[0]?.offset, publications.length > 100, offset]).toEqual([1, true, LENGTH]);
    }
    expect(closes).toEqual([]);
  }, 20_000);

  it('reads it to its end, page by page', async () => {
    const { log, closes } = await arrive(await start());
    const read: number[] = [];
    let since = { epoch: '', offset: 0 };
    for (let pages = 0; pages < 10; pages++) {
      const { publications, offset, epoch } = await log.history({ limit: LENGTH, ...(since.epoch && { since }) });
      read.push(...publications.map((publication) => publication.offset!));
      since = { epoch, offset: read.at(-1)! };
      if (since.offset === offset) break;
    }
    expect([read, closes]).toEqual([Array.from({ length: LENGTH }, (_, n) => n + 1), []]);
  }, 20_000);

  it('twin: is closed as slow when the next command does not wait until it has read', async () => {
    const drained = vi.spyOn(WsConnectionSocket.prototype, 'drained').mockReturnValue(undefined);
    onTestFinished(() => drained.mockRestore());
    const { log, closes } = await arrive(await start());
    // More than the buffers of the system hold.
    const asked = Array.from({ length: 60 }, () => log.history({ limit: LENGTH }).catch(() => undefined));
    await Promise.all(asked);
    expect(closes).toContain(3008);
  }, 20_000);
});

describe('a room whose users together show more than may wait for a client', () => {
  const USERS = 12;

  /** A room of users who show 100 KB each, and one who stops reading, asks who is there, and gets messages meanwhile. */
  async function crowd() {
    const app = await startRealtimeApp({
      providers: [RoomTopic],
      options: { centrifuge: true, limits: { maxPresenceInfoBytes: Infinity } },
    });
    for (let n = 0; n < USERS; n++) {
      const guest = await app.connectAs(`guest-${n}`);
      await guest.request({ action: 'subscribe', topic: 'room:1' });
    }
    return app;
  }

  /** @returns the one who asked, reading again */
  async function askWhilePaused(app: RealtimeApp, count: number): Promise<PausingClient> {
    const client = await PausingClient.to(app, 'ann');
    client.ask({ action: 'subscribe', topic: 'room:1', payload: 'small' });
    await expect.poll(() => client.answers).toBe(1);
    client.pause();
    for (let asked = 0; asked < count; asked++) client.ask({ action: 'presence', topic: 'room:1' });
    await expect.poll(() => client.serverSide.writableLength).toBeGreaterThan(0);
    for (let n = 0; n < 20; n++) await app.realtime.sendToUser('ann', { type: 'news', payload: n });
    client.resume();
    return client;
  }

  it('is listed in part and counted exactly, to SDKs', async () => {
    const client = await connected(sdkFor(await crowd(), { token: testToken('guest-1') }));
    const room = await subscribed(client, 'room:1');
    const { clients } = await room.presence();
    expect(Object.keys(clients)).toHaveLength(5);
    expect(await room.presenceStats()).toEqual({ numClients: USERS + 1, numUsers: USERS });
  });

  it('does not end a client that stops reading while it asks', async () => {
    const client = await askWhilePaused(await crowd(), 40);
    await expect.poll(() => client.answers).toBe(41);
    expect(client.closedWith).toBeUndefined();
  });

  it('twin: ends it as slow when everybody is listed', async () => {
    const fitting = vi.spyOn(TopicPresence.prototype, 'fitting').mockImplementation((presence) => presence);
    onTestFinished(() => fitting.mockRestore());
    const client = await askWhilePaused(await crowd(), 40);
    await expect.poll(() => client.closedWith).toBe(3008);
  });
});

describe('an SDK that draws much by small requests', () => {
  /** Asks a dozen times for half a megabyte. @returns how many answers came before the rest had to wait */
  async function draw(limits: RealtimeLimits): Promise<number> {
    const { log } = await arrive(await start({ maxTopicsPerConnection: 1, ...limits }));
    let answers = 0;
    for (let asked = 0; asked < 12; asked++) {
      log.history({ limit: LENGTH }).then(
        () => (answers += 1),
        () => undefined,
      );
    }
    await expect.poll(() => answers, { timeout: 10_000 }).toBeGreaterThanOrEqual(8);
    // The next answer takes eight seconds.
    await delay(300);
    return answers;
  }

  it('gets 64 KiB for each command that it may send, and then waits', async () => {
    // 61 x 64 KiB are 3.8 MB, and the answer that exceeds them is sent.
    expect(await draw({ commandsPerSecond: 1, commandBurst: 60 })).toBeLessThanOrEqual(9);
  }, 20_000);

  it('twin: gets everything at once without a rate', async () => {
    const limits = { commandsPerSecond: Infinity, commandBurst: Infinity };
    await expect.poll(() => draw(limits), { timeout: 15_000 }).toBe(12);
  }, 20_000);
});

describe('an SDK that recovers many topics at once', () => {
  const ids = Array.from({ length: 12 }, (_, n) => `log:${n}`);

  it('gets all that it has missed, and stays connected', async () => {
    const app = await start();
    const line = { type: 'line', payload: TEXT };
    const tell = (count: number) =>
      Promise.all(ids.flatMap((topic) => Array.from({ length: count }, () => app.realtime.publish(topic, line))));
    const client = await connected(sdkFor(app, { token: testToken('ann'), timeout: 20_000 }));
    const topics = await Promise.all(ids.map((topic) => subscribed(client, topic)));
    client.disconnect();
    await tell(120);
    let heard = 0;
    for (const topic of topics) topic.on('publication', () => (heard += 1));
    const closes = closesOf(client);
    await connected(client);
    await expect.poll(() => heard, { timeout: 15_000 }).toBe(120 * ids.length);
    expect(closes).toEqual([]);
  }, 20_000);
});
