import { Injectable } from '@nestjs/common';
import { OnConnect, RealtimeModule } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isCollected } from '../../helpers/heap.js';
import { listen, TEST_TOKENS, welcomed } from '../../helpers/listening-app.js';
import { connected, sdkFor } from '../../helpers/sdk.js';

/** Never finishes, as an `@OnConnect()` that waits for something may. */
@Injectable()
class Doorman {
  @OnConnect()
  enter() {
    return new Promise<void>(() => undefined);
  }
}

/** An application that remembers its requests, weakly. */
async function stage(providers: [typeof Doorman] | [] = []) {
  const requests: WeakRef<object>[] = [];
  const from = (request: IncomingMessage) => {
    requests.push(new WeakRef(request));
    return undefined;
  };
  const app = await listen({
    providers,
    imports: [
      RealtimeModule.forRoot({
        centrifuge: true,
        trustProxy: 1,
        drain: { timeoutMs: 100 },
        token: { firstCommand: true, from },
        // Kept for as long as the connection lives.
        isRevoked: () => false,
        claims: ({ sub = '' }, { address }) => ({ userId: sub, metadata: { address } }),
        metadata: async ({ request }) => ({ agent: request?.headers['user-agent'] }),
        providers: [TEST_TOKENS],
      }),
    ],
  });
  return { app, requests };
}

const token = testToken('ann');

describe('The request of a connection is gone', () => {
  it('once its token was taken', async () => {
    const { app, requests } = await stage();
    await welcomed(await app.connect({ token, headers: { 'x-forwarded-for': '2001:db8::1234:5678' } }));
    expect([requests.length, await isCollected(requests[0]!)]).toEqual([1, true]);
  });

  it('once its first command was taken, and not before', async () => {
    const { app, requests } = await stage();
    const client = await app.connect();
    expect(await isCollected(requests[0]!, 3)).toBe(false);
    await client.request({ action: 'auth', token });
    expect(await isCollected(requests[0]!)).toBe(true);
  });

  it('once its first command was refused', async () => {
    const { app, requests } = await stage();
    const client = await app.connect();
    client.send({ action: 'auth', token: 'bad' });
    await client.nextClose();
    expect(await isCollected(requests[0]!)).toBe(true);
  });

  it('once the connect command of an SDK was taken', async () => {
    const { app, requests } = await stage();
    await connected(sdkFor(app, { token }));
    expect([requests.length, await isCollected(requests[0]!)]).toEqual([1, true]);
  });

  it('while its hooks still run', async () => {
    const { app, requests } = await stage([Doorman]);
    const [early, late] = [await app.connect({ token }), await app.connect()];
    late.send({ action: 'auth', token });
    for (const client of [early, late]) await welcomed(client);
    for (const request of requests) expect(await isCollected(request)).toBe(true);
    expect(requests).toHaveLength(2);
  });
});
