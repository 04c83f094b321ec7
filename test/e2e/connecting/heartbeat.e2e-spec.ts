import { RealtimeModule, type RealtimeHeartbeatOptions } from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';

const token = testToken('ann');

function listenWith(heartbeat: RealtimeHeartbeatOptions): Promise<ListeningApp> {
  return listen({ imports: [RealtimeModule.forRoot({ heartbeat, providers: [TEST_TOKENS] })] });
}

/** A client that leaves pings unanswered. */
function muteClient(app: ListeningApp): WebSocket {
  return new WebSocket(`${app.url.replace('http', 'ws')}/ws?token=${token}`, { autoPong: false });
}

async function pings(client: TestClient, count: number): Promise<Date[]> {
  const times: Date[] = [];
  while (times.length < count) times.push(new Date((await client.next('realtime:ping')).timestamp));
  return times;
}

describe('The heartbeat', () => {
  it('is announced in the welcome', async () => {
    const app = await listenWith({ intervalMs: 12_000 });
    const client = await app.connect({ token });
    expect((await client.next('realtime:welcome')).payload.heartbeatMs).toBe(12_000);
  });

  it('reaches the client again and again, no faster than announced', async () => {
    const app = await listenWith({ intervalMs: 50 });
    const times = await pings(await app.connect({ token }), 5);
    expect(times.at(-1)!.getTime() - times[0]!.getTime()).toBeGreaterThanOrEqual(4 * 50 - 25);
  });

  it('keeps the connection of a client that answers', async () => {
    const app = await listenWith({ intervalMs: 20, timeoutMs: 40 });
    const client = await app.connect({ token });
    await pings(client, 6);
    expect((await client.request({ action: 'ping' })).type).toBe('realtime:pong');
  });
});

describe('A client that answers no pings', () => {
  it('is closed', async () => {
    const app = await listenWith({ intervalMs: 20, timeoutMs: 20 });
    const [code, reason] = await once(muteClient(app), 'close');
    expect([code, String(reason)]).toEqual([3012, 'heartbeat timeout, did not answer a ping']);
  });

  it('leaves nothing behind', async () => {
    const app = await listenWith({ intervalMs: 20, timeoutMs: 20 });
    await once(muteClient(app), 'close');
    await vi.waitFor(
      async () => expect(await app.realtime.counts()).toMatchObject({ connections: 0, users: 0 }),
      15_000,
    );
  });

  it('stays connected while it speaks', async () => {
    const app = await listenWith({ intervalMs: 40, timeoutMs: 120 });
    const client = muteClient(app);
    let heard = 0;
    await new Promise<void>((resolve) => {
      client.on('close', resolve);
      client.on('message', () => {
        client.send('{"action":"ping"}');
        if (++heard === 8) resolve();
      });
    });
    expect(client.readyState).toBe(WebSocket.OPEN);
    client.terminate();
  });
});
