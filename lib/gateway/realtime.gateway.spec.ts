import { beforeEach, describe, expect, it } from 'vitest';
import { memoryUpgrade, type MemoryUpgrade } from '../../test/helpers/memory-upgrade.js';
import { authenticatedAs, sessionParts } from '../../test/helpers/session-parts.js';
import { NodeDrain } from '../delivery/node-drain.js';
import type { NodeMeter } from '../delivery/node-meter.js';
import { RealtimeSettings, type RealtimeOptions } from '../options/realtime.options.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { ServedCodecs } from './served-codecs.js';

let drain: NodeDrain;
let gateway: RealtimeGateway;
let codecs: ServedCodecs;
let meter: NodeMeter;

function start(options: RealtimeOptions = {}): void {
  const settings = new RealtimeSettings(options);
  codecs = new ServedCodecs(settings);
  drain = new NodeDrain();
  const { services } = sessionParts(options);
  meter = services.meter;
  gateway = new RealtimeGateway(settings, services, drain, codecs, meter);
}

beforeEach(() => start());

/** Completes the upgrade of a request of a user to the plain protocol. */
function upgrade(headers: Readonly<Record<string, string>> = {}): MemoryUpgrade {
  const asked = memoryUpgrade('/ws', headers);
  const [codec] = codecs.all;
  gateway.upgrade(asked.request, asked.socket, Buffer.alloc(0), codec!, authenticatedAs('ann'), undefined);
  return asked;
}

describe('an admitted upgrade', () => {
  it('is answered with 101 and the welcome', async () => {
    const { written } = upgrade();
    await expect.poll(written).toMatch(/^HTTP\/1\.1 101 [^]*"realtime:welcome"/);
    expect(gateway.connectionCount).toBe(1);
  });

  it('sends both in one write, after which nothing counts as waiting', () => {
    const asked = memoryUpgrade('/ws');
    const writes: number[] = [];
    const { socket } = asked;
    socket._writev = (chunks, done) => {
      writes.push(chunks.length);
      done();
    };
    gateway.upgrade(asked.request, socket, Buffer.alloc(0), codecs.all[0]!, authenticatedAs('ann'), undefined);
    expect([writes, socket.writableCorked, meter.sendQueue.total]).toEqual([[2], 0, 0]);
  });

  it.each([
    ['realtime, bearer.t', 'Sec-WebSocket-Protocol: realtime\r\n'],
    ['', '\r\n\r\n'],
  ])('with the sub-protocols "%s" is accepted', async (offers, answer) => {
    const { written } = upgrade({ 'sec-websocket-protocol': offers });
    await expect.poll(written).toContain(answer);
    expect(written()).toMatch(/^HTTP\/1\.1 101 /);
  });

  it.each([
    ['permessage-deflate', true],
    ['permessage-deflate; server_max_window_bits=10', false],
  ])('with the extensions "%s" is accepted; compressed: %s', async (offers, isCompressed) => {
    start({ compression: true });
    const { written } = upgrade({ 'sec-websocket-extensions': offers });
    await expect.poll(written).toMatch(/^HTTP\/1\.1 101 /);
    expect(written().includes('Sec-WebSocket-Extensions: permessage-deflate')).toBe(isCompressed);
  });

  it('no longer counts once its socket is gone', async () => {
    upgrade().socket.destroy();
    await expect.poll(() => gateway.connectionCount).toBe(0);
  });
});

describe('the WebSocket server', () => {
  it('has the limits of the settings, and no limit for Infinity', () => {
    start({ limits: { maxMessageBytes: 1_000, maxFragments: Infinity } });
    expect(gateway.server.options).toMatchObject({ maxPayload: 1_000, maxFragments: 0 });
  });

  it('drains the node in the first hook of a shutdown, and closes its clients', async () => {
    const { socket, written } = upgrade();
    await expect.poll(written).toContain('welcome');
    const drained = gateway.onModuleDestroy();
    expect(drain.isDraining).toBe(true);
    await expect.poll(written).toContain('server is shutting down');
    socket.destroy();
    await drained;
  });
});
