import { Module, type INestApplication, type Type } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { WebSocketGateway } from '@nestjs/websockets';
import { RealtimeModule } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Server, ServerOptions } from 'socket.io';
import { describe, expect, it } from 'vitest';
import {
  listen,
  PLATFORMS,
  TEST_TOKENS,
  welcomed,
  type AppParts,
  type ListeningApp,
  type Platform,
} from '../../helpers/listening-app.js';
import {
  echoed,
  NamespaceGateway,
  OwnGateway,
  PathlessGateway,
  SocketIoGateway,
  socketIoEchoed,
} from '../../helpers/own-gateways.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';

const token = testToken('ann');
const drain = { timeoutMs: 1_000 };

function listenWith(parts: AppParts, path?: string): Promise<ListeningApp> {
  const options = { drain, providers: [TEST_TOKENS], ...(path !== undefined && { path }) };
  return listen({
    ...parts,
    ...(path && { path }),
    imports: [RealtimeModule.forRoot(options), ...(parts.imports ?? [])],
  });
}

const useWs = (app: INestApplication) => void app.useWebSocketAdapter(new WsAdapter(app));
const useIo = (app: INestApplication) => void app.useWebSocketAdapter(new IoAdapter(app));

/** An adapter of the application's own, such as the one with Redis in socket.io's documentation. */
class ApplicationAdapter extends IoAdapter {
  override createIOServer(port: number, options?: ServerOptions): Server {
    return super.createIOServer(port, { ...options, cors: { origin: '*' } } as ServerOptions);
  }
}

describe.each(PLATFORMS)('Beside a socket.io gateway on %s', (platform) => {
  describe.each<[string, ((app: INestApplication) => void) | undefined]>([
    ['without a line in main.ts', undefined],
    ['with IoAdapter set in main.ts', useIo],
    ['with an adapter of its own set in main.ts', (app) => void app.useWebSocketAdapter(new ApplicationAdapter(app))],
  ])('%s', (_how, configure) => {
    const start = (...providers: Type[]) => listenWith({ platform, providers, ...(configure && { configure }) });

    it('the endpoint is served', async () => {
      expect(await welcomed(await (await start(SocketIoGateway)).connect({ token }))).toBe('ann');
    });

    it('that gateway is served', async () => {
      expect(await socketIoEchoed(await start(SocketIoGateway))).toEqual(['echoed', 'hi']);
    });

    it('that gateway sees the handshake of a client', async () => {
      const app = await start(SocketIoGateway);
      await socketIoEchoed(app);
      expect(app.app.get(SocketIoGateway).seen).toEqual(['ann']);
    });

    it('one with a namespace is served too', async () => {
      expect(await socketIoEchoed(await start(SocketIoGateway, NamespaceGateway), '/shop')).toEqual([
        'echoed in shop',
        'hi',
      ]);
    });

    it('socket.io is served by polling', async () => {
      const app = await start(SocketIoGateway);
      const answer = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`);
      expect(await answer.text()).toMatch(/^0\{"sid":/);
    });

    it('an unknown path is left to socket.io', async () => {
      const app = await start(SocketIoGateway);
      const client = await RawClient.to(app.url);
      await client.write(upgradeRequest('/'));
      // engine.io ends such a socket after a second, without a word.
      expect(await client.closed()).toBe('');
      expect(app.app.get(SocketIoGateway).seen).toEqual([]);
    });

    it('that gateway is served in a module of its own', async () => {
      @Module({ providers: [SocketIoGateway] })
      class ChatModule {}
      const app = await listenWith({ platform, imports: [ChatModule], ...(configure && { configure }) });
      expect(await socketIoEchoed(app)).toEqual(['echoed', 'hi']);
    });
  });
});

describe('Without a gateway of the application', () => {
  it('no WebSocket adapter is chosen', async () => {
    const { app } = await listenWith({});
    expect((app as unknown as { config: { getIoAdapter(): unknown } }).config.getIoAdapter()).toBeNull();
  });
});

describe.each(PLATFORMS)('Beside a gateway with WsAdapter on %s', (platform) => {
  const start = (...providers: Type[]) => listenWith({ platform, providers, configure: useWs });

  it('the endpoint is served', async () => {
    expect(await welcomed(await (await start(OwnGateway)).connect({ token }))).toBe('ann');
  });

  it('that gateway is served', async () => {
    expect(await echoed(await start(OwnGateway), '/own')).toEqual({ event: 'echoed', data: 'hi' });
  });

  it('a gateway without a path is served at the root', async () => {
    expect(await echoed(await start(PathlessGateway), '/')).toEqual({ event: 'echoed', data: 'hi' });
  });

  it.each(['/own', '/'])('of two gateways the one at %s is served', async (path) => {
    expect(await echoed(await start(OwnGateway, PathlessGateway), path)).toEqual({ event: 'echoed', data: 'hi' });
  });

  it('an unknown path is answered with 404', async () => {
    await expect((await start(OwnGateway)).connectTo('/nowhere')).rejects.toMatchObject({ status: 404 });
  });

  it('clients of both are closed with the application', async () => {
    const app = await start(OwnGateway);
    const clients = [await app.connect({ token }), await app.connectTo('/own')];
    await app.app.close();
    expect(await Promise.all(clients.map(async (client) => (await client.nextClose()).code))).toEqual([3001, 1006]);
  });
});

@WebSocketGateway({ path: 'ws/' })
class SamePathGateway {}

@WebSocketGateway({ path: '/ws', namespace: 'orders' })
class SamePathNamespaceGateway {}

@WebSocketGateway()
class RootGateway {}

describe.each<[string, Type, string, Platform, (app: INestApplication) => void]>([
  ['at the path of the module', SamePathGateway, '/ws', 'Express', useWs],
  ['at the path of the module', SamePathGateway, '/ws', 'Fastify', useWs],
  ['of socket.io at the path of the module', SamePathNamespaceGateway, '/ws', 'Express', useIo],
  ['without a path, beside a module at the root', RootGateway, '/', 'Express', useWs],
  ['of socket.io without a path, beside a module at its place', RootGateway, '/socket.io', 'Express', useIo],
])('A gateway %s stops the boot', (_what, gateway, path, platform, configure) => {
  it(`which names ${gateway.name} and the path ${path} on ${platform}`, async () => {
    const booting = listenWith({ platform, providers: [gateway], configure }, path);
    await expect(booting).rejects.toThrow(`${gateway.name}: @WebSocketGateway() is served at ${path}, which is a path`);
  });
});

describe('A gateway that only looks alike does not stop the boot', () => {
  it('without a path, beside a module at the root, on socket.io', async () => {
    const app = await listenWith({ providers: [SocketIoGateway], configure: useIo }, '/');
    expect(await socketIoEchoed(app)).toEqual(['echoed', 'hi']);
  });

  it('as a class whose instance comes from a factory, which Nest does not serve', async () => {
    const providers = [{ provide: SamePathGateway, useFactory: () => new SamePathGateway() }];
    const app = await listenWith({ providers, configure: useWs });
    expect(await welcomed(await app.connect({ token }))).toBe('ann');
  });
});
