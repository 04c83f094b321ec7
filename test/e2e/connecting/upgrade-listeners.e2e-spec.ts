import type { INestApplication } from '@nestjs/common';
import { RealtimeModule } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { listen, PLATFORMS, TEST_TOKENS, welcomed, type ListeningApp } from '../../helpers/listening-app.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';

/** An upgrade listener of the application's own, for `/mine`. */
function serveMine({ url }: IncomingMessage, socket: Duplex): void {
  if (url === '/mine')
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: mine\r\n\r\nmine!');
}

function addListener(app: INestApplication): void {
  (app.getHttpServer() as Server).on('upgrade', serveMine);
}

describe.each(PLATFORMS)('On %s', (platform) => {
  const imports = [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })];
  const listeners: [string, () => Promise<ListeningApp>][] = [
    ['before the application starts', () => listen({ platform, imports, configure: addListener })],
    [
      'when the application listens',
      async () => {
        const started = await listen({ platform, imports });
        addListener(started.app);
        return started;
      },
    ],
  ];

  describe.each(listeners)('an upgrade listener added %s', (_when, start) => {
    it('gets the requests for its path', async () => {
      const client = await RawClient.to((await start()).url);
      await client.write(upgradeRequest('/mine'));
      expect(await client.closed()).toContain('mine!');
    });

    it('leaves the endpoint as it is', async () => {
      const app = await start();
      expect(await welcomed(await app.connect({ token: testToken('ann') }))).toBe('ann');
    });
  });

  it('an upgrade listener does not see the requests for the endpoint', async () => {
    const seen: (string | undefined)[] = [];
    const configure = (app: INestApplication) =>
      void app.getHttpServer().on('upgrade', (request: IncomingMessage) => seen.push(request.url));
    const app = await listen({ platform, imports, configure });
    await welcomed(await app.connect({ token: testToken('ann') }));
    expect(seen).toEqual([]);
  });
});
