import { Injectable } from '@nestjs/common';
import {
  JwtVerifier,
  OnDisconnect,
  OnMessage,
  RealtimeModule,
  TopicGateway,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { ConnectionRegistry } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listen, PLATFORMS, TEST_TOKENS, type AppParts, type ListeningApp } from '../../helpers/listening-app.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';
import { HeldVerifier } from '../../helpers/slow-verifier.js';

const token = testToken('ann');

function listenWith(options: RealtimeOptions = {}, parts: AppParts = {}, verifier: object = TEST_TOKENS) {
  const providers = [verifier as typeof TEST_TOKENS];
  return listen({ ...parts, imports: [RealtimeModule.forRoot({ ...options, providers })] });
}

/** A client that takes no notice of being closed. */
async function deafClient(app: ListeningApp): Promise<RawClient> {
  const client = await RawClient.to(app.url);
  await client.write(upgradeRequest(`/ws?token=${token}`));
  await client.heard('realtime:welcome');
  return client;
}

/** Far less than what is waited for without a reason to end: 10 s for a token, 30 s for clients; a busy machine may take a second. */
const SOON_MS = 4_000;

async function msToClose(app: ListeningApp): Promise<number> {
  const start = performance.now();
  await app.app.close();
  return performance.now() - start;
}

const CLOSE_FRAME_3001 = '\x0b\xb9server is shutting down, please reconnect';

describe.each(PLATFORMS)('When the application closes on %s', (platform) => {
  it('its clients are told why, and to reconnect', async () => {
    const app = await listenWith({}, { platform });
    const client = await app.connect({ token });
    await app.app.close();
    expect(await client.nextClose()).toEqual({ code: 3001, reason: 'server is shutting down, please reconnect' });
  });

  it('it does not take long with a few clients', async () => {
    const app = await listenWith({}, { platform });
    await Promise.all(Array.from({ length: 10 }, () => app.connect({ token })));
    expect(await msToClose(app)).toBeLessThan(SOON_MS);
  });

  it('clients that do not answer are waited for no longer than drain.timeoutMs', async () => {
    const app = await listenWith({ drain: { timeoutMs: 200 } }, { platform });
    await deafClient(app);
    expect(await msToClose(app)).toBeLessThan(SOON_MS);
  });

  it('clients that do not answer are waited for as long as drain.timeoutMs', async () => {
    const app = await listenWith({ drain: { timeoutMs: 200 } }, { platform });
    await deafClient(app);
    expect(await msToClose(app)).toBeGreaterThanOrEqual(190);
  });

  it('new clients are answered with 503 and Retry-After', async () => {
    const app = await listenWith({ drain: { timeoutMs: 10_000 } }, { platform });
    const deaf = await deafClient(app);
    const closed = app.app.close();
    await deaf.heard(CLOSE_FRAME_3001);
    await expect(app.connect({ token })).rejects.toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'UNAVAILABLE' },
    });
    deaf.socket.destroy();
    await closed;
  });

  it('a client whose token is being verified is answered with 503', async () => {
    const useValue = new HeldVerifier();
    const app = await listenWith({}, { platform }, { provide: JwtVerifier, useValue });
    const refusal = app.connect({ token }).catch((error) => error);
    await useValue.begun;
    await app.app.close();
    expect(await refusal).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });
});

describe('When the application closes', () => {
  it('a verifier that does not answer is not waited for', async () => {
    const useValue = new HeldVerifier();
    const app = await listenWith({}, {}, { provide: JwtVerifier, useValue });
    app.connect({ token }).catch(() => undefined);
    await useValue.begun;
    expect(await msToClose(app)).toBeLessThan(SOON_MS);
  });

  it('clients that have not authenticated yet are told, too', async () => {
    const app = await listenWith({ token: { firstCommand: true } });
    const client = await app.connect();
    await app.app.close();
    expect((await client.nextClose()).code).toBe(3001);
  });

  it('nobody is connected any more', async () => {
    const app = await listenWith({ drain: { timeoutMs: 100 } });
    await app.connect({ token });
    await deafClient(app);
    await app.app.close();
    expect([...app.app.get(ConnectionRegistry).ids()]).toEqual([]);
  });

  it('the hooks for leaving connections run before it is closed', async () => {
    const left: string[] = [];
    @Injectable()
    class Leaving {
      @OnDisconnect() async left({ userId }: { userId: string }) {
        await delay(20);
        left.push(userId);
      }
    }
    const app = await listenWith({}, { providers: [Leaving] });
    await app.connect({ token });
    await app.app.close();
    expect(left).toEqual(['ann']);
  });

  it('a command that is being handled is answered before its client is closed', async () => {
    let begin: (finish: () => void) => void;
    const begun = new Promise<() => void>((resolve) => (begin = resolve));
    @Injectable()
    @TopicGateway('job:{id}')
    class Jobs {
      @OnMessage('run', { requireSubscription: false })
      async run() {
        await new Promise<void>((resolve) => begin(resolve));
        return 'done';
      }
    }
    const app = await listenWith({}, { providers: [Jobs] });
    const client = await app.connect({ token });
    client.send({ action: 'message', id: 1, topic: 'job:1', type: 'run' });
    const finish = await begun;
    const closed = app.app.close();
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503 });
    finish();
    expect((await client.next('realtime:reply')).payload).toBe('done');
    await closed;
  });

  it('a message that was sent just before arrives', async () => {
    const app = await listenWith();
    const client = await app.connect({ token });
    await app.realtime.broadcast({ type: 'goodbye' });
    await app.app.close();
    expect((await client.next('goodbye')).type).toBe('goodbye');
  });
});

describe('A drain before the application closes', () => {
  it('tells clients to reconnect', async () => {
    const app = await listenWith();
    const client = await app.connect({ token });
    await app.realtime.drain();
    expect((await client.nextClose()).code).toBe(3001);
  });

  it('ends when nobody is connected any more', async () => {
    const app = await listenWith();
    await app.connect({ token });
    await app.realtime.drain();
    expect(await app.realtime.counts()).toMatchObject({ connections: 0 });
  });

  it('refuses new clients for good', async () => {
    const app = await listenWith();
    await app.realtime.drain();
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });

  it('leaves HTTP as it is', async () => {
    const app = await listenWith();
    await app.realtime.drain();
    expect((await fetch(app.url)).status).toBe(404);
  });

  it('may be asked for twice', async () => {
    const app = await listenWith();
    const client = await app.connect({ token });
    await Promise.all([app.realtime.drain(), app.realtime.drain()]);
    expect((await client.nextClose()).code).toBe(3001);
  });
});
