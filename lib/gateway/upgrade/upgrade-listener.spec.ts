import { ApplicationConfig, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { memoryUpgrade } from '../../../test/helpers/memory-upgrade.js';
import { FurtherServers } from '../../delivery/further-servers.js';
import { RealtimeSettings, type RealtimeOptions } from '../../options/realtime.options.js';
import { ServedCodecs } from '../served-codecs.js';
import type { UpgradeHandler } from './upgrade-handler.js';
import { UpgradeListener } from './upgrade-listener.js';

let server: Server;
let further: FurtherServers;
let listener: UpgradeListener;
/** The paths of the requests that were handed over, and the statuses of those that were refused. */
let taken: (string | number)[];

/** Starts a listener on an HTTP server that does not listen. */
function start(options: RealtimeOptions = {}, prefix = ''): void {
  const settings = new RealtimeSettings(options);
  const adapter = new ExpressAdapter();
  adapter.initHttpServer({});
  server = adapter.getHttpServer();
  const host = new HttpAdapterHost();
  host.httpAdapter = adapter;
  const config = new ApplicationConfig();
  config.setGlobalPrefix(prefix);
  taken = [];
  const handler: Pick<UpgradeHandler, 'handle' | 'refuse'> = {
    handle: ({ request }) => void taken.push(request.url!),
    refuse: (_request, _socket, { status }) => void taken.push(status),
  };
  further = new FurtherServers();
  listener = new UpgradeListener(
    host,
    config,
    new DiscoveryService(new ModulesContainer()),
    settings,
    new ServedCodecs(settings),
    handler as UpgradeHandler,
    further,
  );
  listener.onModuleInit();
}

beforeEach(() => {
  collectLogs();
  start();
});
afterEach(() => listener.onApplicationShutdown());

function ask(path: string, of = server): void {
  const { request, socket } = memoryUpgrade(path);
  of.emit('upgrade', request, socket, Buffer.alloc(0));
}

describe('an upgrade request', () => {
  it('for a served path is handed over', () => {
    ask('/ws?token=ann');
    expect(taken).toEqual(['/ws?token=ann']);
  });

  it('for a path that nobody serves is refused', () => {
    ask('/other?token=ann');
    expect(taken).toEqual([404]);
  });

  it('that other listeners may answer is left to them', () => {
    const other = vi.fn();
    server.on('upgrade', other);
    server.on('upgrade', () => undefined);
    ask('/other');
    expect([taken, other.mock.calls.length]).toEqual([[], 1]);
  });

  it.each(['api', '/api/'])('is served below the global prefix "%s"', (prefix) => {
    start({ useGlobalPrefix: true }, prefix);
    ask('/ws');
    ask('/api/ws');
    expect(taken).toEqual([404, '/api/ws']);
  });
});

describe('a further server', () => {
  it('is served until it is removed', () => {
    const other = createServer();
    const remove = further.add(other);
    ask('/ws', other);
    expect(taken).toEqual(['/ws']);
    remove();
    expect(other.listenerCount('upgrade')).toBe(0);
  });

  it('is not served twice if it is the application’s own', () => {
    further.add(server)();
    expect(server.listenerCount('upgrade')).toBe(1);
  });

  it('is refused after the end of the application', () => {
    listener.onApplicationShutdown();
    expect(() => further.add(createServer())).toThrow('closed');
  });
});
