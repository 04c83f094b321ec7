import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import {
  listen,
  PLATFORMS,
  TEST_TOKENS,
  welcomed,
  type AppParts,
  type ListeningApp,
} from '../../helpers/listening-app.js';
import { echoed, OwnGateway, PathlessGateway } from '../../helpers/own-gateways.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';

const token = testToken('ann');
const drain = { timeoutMs: 1_000 };

function listenWith(parts: AppParts): Promise<ListeningApp> {
  return listen({ ...parts, imports: [RealtimeModule.forRoot({ drain, providers: [TEST_TOKENS] })] });
}

describe.each(PLATFORMS)('Beside a gateway of the application on %s', (platform) => {
  const start = () => listenWith({ platform, providers: [OwnGateway] });

  it('the endpoint is served', async () => {
    expect(await welcomed(await (await start()).connect({ token }))).toBe('ann');
  });

  it('that gateway is served without a line in main.ts', async () => {
    expect(await echoed(await start(), '/own')).toEqual({ event: 'echoed', data: 'hi' });
  });

  it('an unknown path is answered with 404', async () => {
    await expect((await start()).connectTo('/nowhere')).rejects.toMatchObject({ status: 404 });
  });

  it('clients of both are closed with the application', async () => {
    const app = await start();
    const clients = [await app.connect({ token }), await app.connectTo('/own')];
    await app.app.close();
    expect(await Promise.all(clients.map(async (client) => (await client.nextClose()).code))).toEqual([3001, 1006]);
  });
});

describe('Beside a gateway without a path', () => {
  it('the endpoint is served', async () => {
    const app = await listenWith({ providers: [PathlessGateway] });
    expect(await welcomed(await app.connect({ token }))).toBe('ann');
  });

  it('that gateway is served at the root', async () => {
    const app = await listenWith({ providers: [PathlessGateway] });
    expect(await echoed(app, '/')).toEqual({ event: 'echoed', data: 'hi' });
  });
});

describe('Beside two gateways of the application', () => {
  it.each(['/own', '/'])('the one at %s is served', async (path) => {
    const app = await listenWith({ providers: [OwnGateway, PathlessGateway] });
    expect(await echoed(app, path)).toEqual({ event: 'echoed', data: 'hi' });
  });
});

describe('With RealtimeWsAdapter set in main.ts', () => {
  const start = () =>
    listenWith({
      providers: [OwnGateway],
      configure: (app) => app.useWebSocketAdapter(new RealtimeWsAdapter(app)),
    });

  it('the endpoint is served', async () => {
    expect(await welcomed(await (await start()).connect({ token }))).toBe('ann');
  });

  it('the gateways of the application are served', async () => {
    expect(await echoed(await start(), '/own')).toEqual({ event: 'echoed', data: 'hi' });
  });
});

describe('With WsAdapter as the fallback', () => {
  const start = () =>
    listenWith({
      providers: [OwnGateway],
      configure: (app) => app.useWebSocketAdapter(new RealtimeWsAdapter(app, { fallback: new WsAdapter(app) })),
    });

  it('the endpoint is served', async () => {
    expect(await welcomed(await (await start()).connect({ token }))).toBe('ann');
  });

  it('the gateways of the application are served', async () => {
    expect(await echoed(await start(), '/own')).toEqual({ event: 'echoed', data: 'hi' });
  });
});

describe.each(PLATFORMS)('Beside socket.io on %s', (platform) => {
  const start = () =>
    listenWith({
      platform,
      providers: [PathlessGateway],
      configure: (app) => app.useWebSocketAdapter(new RealtimeWsAdapter(app, { fallback: new IoAdapter(app) })),
    });

  it('the endpoint is served', async () => {
    expect(await welcomed(await (await start()).connect({ token }))).toBe('ann');
  });

  it('socket.io is served by polling', async () => {
    const app = await start();
    const answer = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`);
    expect(await answer.text()).toMatch(/^0\{"sid":/);
  });

  it('socket.io is served by WebSocket', async () => {
    const app = await start();
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest('/socket.io/?EIO=4&transport=websocket'));
    expect(await client.heard('"sid":')).toContain('101 Switching Protocols');
  });

  it('an unknown path is left to it', async () => {
    const app = await start();
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest('/nowhere'));
    // engine.io ends such a socket after a second, without a word.
    expect(await client.closed()).toBe('');
  });
});
