import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { JwtVerifier, RealtimeModule } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { listen, welcomed, type AppParts, type ListeningApp } from '../../helpers/listening-app.js';
import { OwnGateway, PathlessGateway } from '../../helpers/own-gateways.js';
import { SlowVerifier } from '../../helpers/slow-verifier.js';

/** socket.io ends sockets that it does not know after one second. */
const VERIFICATION_MS = 2_000;

/** Starts an application whose verifier is slow, and connects. */
async function userAfterAWhile(parts: AppParts, meddle?: (app: ListeningApp) => void): Promise<string> {
  const verifier = { provide: JwtVerifier, useValue: new SlowVerifier(VERIFICATION_MS) };
  const app = await listen({ ...parts, imports: [RealtimeModule.forRoot({ providers: [verifier] })] });
  meddle?.(app);
  return welcomed(await app.connect({ token: testToken('ann') }));
}

function serverOf(app: INestApplication): Server {
  return app.getHttpServer();
}

describe.concurrent('A verifier that takes two seconds admits a client', () => {
  it('alone', async ({ onTestFinished: finished }) => {
    expect(await userAfterAWhile({ finished })).toBe('ann');
  });

  it('beside a gateway of the application', async ({ onTestFinished: finished }) => {
    expect(await userAfterAWhile({ finished, providers: [OwnGateway] })).toBe('ann');
  });

  it('beside socket.io', async ({ onTestFinished: finished }) => {
    const configure = (app: INestApplication) => app.useWebSocketAdapter(new IoAdapter(app));
    expect(await userAfterAWhile({ finished, providers: [PathlessGateway], configure })).toBe('ann');
  });

  it('beside an upgrade listener, added later, that destroys every socket', async ({ onTestFinished: finished }) => {
    const destroy = (_request: unknown, socket: Duplex) => void socket.destroy();
    expect(await userAfterAWhile({ finished }, ({ app }) => serverOf(app).on('upgrade', destroy))).toBe('ann');
  });

  it('beside an upgrade listener, added before, that destroys every socket', async ({ onTestFinished: finished }) => {
    const destroy = (_request: unknown, socket: Duplex) => void socket.destroy();
    const configure = (app: INestApplication) => void serverOf(app).on('upgrade', destroy);
    expect(await userAfterAWhile({ finished, configure })).toBe('ann');
  });
});
