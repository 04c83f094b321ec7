import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RealtimeGateway } from '../../../lib/gateway/realtime.gateway.js';
import { SocketEndpoint } from '../../../lib/gateway/session/socket-endpoint.js';
import { heldBytes } from '../../helpers/heap.js';
import type { RawGuest } from '../../helpers/raw-guest.js';
import { commandFrame, OPCODE, rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const stage = (limits: RealtimeLimits = {}) => Scene.set({ options: { limits } });
const ANY_RATE = { commandsPerSecond: Infinity, commandBurst: Infinity };
const MB = 1_048_576;
const PING = rawFrame({ opcode: OPCODE.ping, payload: Buffer.alloc(125) });
const PINGS = Buffer.concat(Array.from({ length: 500 }, () => PING));

/** Sends pings and reads no pongs, as long as the server takes them. @returns the most that waited to be written to it */
async function floodWithPings(guest: RawGuest, bytes: number): Promise<number> {
  guest.pause();
  let mostWaiting = 0;
  for (let sent = 0; sent < bytes && !guest.serverSide.destroyed; sent += PINGS.length) {
    await guest.write(PINGS);
    await nextTurn();
    mostWaiting = Math.max(mostWaiting, guest.serverSide.writableLength);
  }
  return mostWaiting;
}

describe('a client that sends pings and reads no pongs', () => {
  it('is ended, and nothing else', async () => {
    const scene = await stage(ANY_RATE);
    const guest = await scene.raw();
    await scene.during(() => floodWithPings(guest, 20 * MB));
    expect([(await scene.endOf(guest)).code, await scene.harm()]).toEqual([1006, NO_HARM]);
  });

  it('has no more than 60 pongs waiting for it', async () => {
    const scene = await stage(ANY_RATE);
    expect(await floodWithPings(await scene.raw(), 20 * MB)).toBeLessThanOrEqual(60 * 127);
  });

  it('twin: with maxPendingPongs: Infinity has a megabyte and more waiting for it', async () => {
    const scene = await stage({ ...ANY_RATE, maxPendingPongs: Infinity });
    expect(await floodWithPings(await scene.raw(), 20 * MB)).toBeGreaterThan(MB);
  });
});

describe('a client that reads its pongs', () => {
  /** Sends pings, each after the pong to the one before. */
  async function ping(guest: RawGuest, times: number): Promise<void> {
    for (let sent = 1; sent <= times; sent++) {
      await guest.write(PING);
      await guest.receives(OPCODE.pong, sent);
    }
  }

  it('may send as many pings as commands', async () => {
    const scene = await stage({ commandsPerSecond: 1, commandBurst: 50 });
    const guest = await scene.raw();
    await ping(guest, 50);
    await guest.write(commandFrame({ action: 'ping', id: 'after' }));
    expect(await guest.answer('after')).toMatchObject({ type: 'realtime:pong' });
  });

  it('is closed when it sends more', async () => {
    const scene = await stage({ commandsPerSecond: 1, commandBurst: 50 });
    const guest = await scene.raw();
    await guest.write(Buffer.concat(Array.from({ length: 5_000 }, () => PING)));
    expect([await guest.closeCode(), await scene.harm()]).toEqual([3013, NO_HARM]);
  });

  it('twin: without a rate may send any number', async () => {
    const scene = await stage(ANY_RATE);
    const guest = await scene.raw();
    await ping(guest, 200);
    await guest.write(commandFrame({ action: 'ping', id: 'after' }));
    expect(await guest.answer('after')).toMatchObject({ type: 'realtime:pong' });
  });
});

describe('100,000 pongs that nobody asked for', () => {
  const PONGS = Buffer.concat(Array.from({ length: 10_000 }, () => rawFrame({ opcode: OPCODE.pong })));

  it('end the connection, and few of them are parsed', async () => {
    const ponged = vi.spyOn(SocketEndpoint.prototype, 'ponged');
    onTestFinished(() => ponged.mockRestore());
    const scene = await stage();
    const guest = await scene.raw();
    const code = await scene.during(async () => {
      const closing = guest.closeCode();
      for (let round = 0; round < 10; round++) await guest.write(PONGS);
      return closing;
    });
    expect([code, ponged.mock.calls.length < 500, await scene.harm()]).toEqual([3013, true, NO_HARM]);
  });

  it('end the connection of a client that has not authenticated', async () => {
    const scene = await Scene.set({ options: { centrifuge: true } });
    const guest = await scene.raw({ token: false, path: '/ws/connection/websocket' });
    await guest.write(PONGS);
    expect([await guest.closeCode(), await scene.harm()]).toEqual([3013, NO_HARM]);
  });

  it('may come at the rate of pings', async () => {
    const scene = await stage({ commandsPerSecond: 1, commandBurst: 50 });
    const guest = await scene.raw();
    await guest.write(Buffer.concat(Array.from({ length: 50 }, () => rawFrame({ opcode: OPCODE.pong }))));
    await guest.write(commandFrame({ action: 'ping', id: 'after' }));
    expect(await guest.answer('after')).toMatchObject({ type: 'realtime:pong' });
  });

  it('twin: without a rate are all parsed, and leave nothing behind', async () => {
    const ponged = vi.spyOn(SocketEndpoint.prototype, 'ponged');
    onTestFinished(() => ponged.mockRestore());
    const scene = await stage(ANY_RATE);
    const guest = await scene.raw();
    const before = await heldBytes();
    await scene.during(async () => {
      for (let round = 0; round < 10; round++) await guest.write(PONGS);
      await guest.write(commandFrame({ action: 'ping', id: 'after' }));
      await guest.answer('after');
    });
    const parsed = ponged.mock.calls.length;
    ponged.mockClear();
    expect([parsed, (await heldBytes()) - before < MB]).toEqual([100_000, true]);
    expect(await scene.harm()).toEqual(NO_HARM);
  });
});

describe('pongs that answer pings of the server', () => {
  it('do not count, however often the server asks', async () => {
    const heartbeat = { intervalMs: 10, timeoutMs: 60_000 };
    const scene = await Scene.set({ options: { heartbeat, limits: { commandsPerSecond: 1, commandBurst: 2 } } });
    const guest = await scene.raw();
    guest.answerPings();
    await guest.receives(OPCODE.ping, 12);
    await guest.write(commandFrame({ action: 'ping', id: 'after' }));
    expect(await guest.answer('after')).toMatchObject({ type: 'realtime:pong' });
  });
});

describe('an offer to compress', () => {
  const OFFERS = [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits; server_max_window_bits=8',
    'permessage-deflate; server_no_context_takeover, permessage-deflate',
    'x-webkit-deflate-frame',
    'permessage-deflate; client_max_window_bits=99999999999999999999',
    `permessage-deflate${'; client_max_window_bits'.repeat(400)}`,
    ';;;,,,===',
  ];

  it.each(OFFERS)('is not taken up: %.40s', async (offer) => {
    const scene = await stage();
    const guest = await scene.raw({ headers: { 'Sec-WebSocket-Extensions': offer } });
    expect([guest.client.received.includes('Sec-WebSocket-Extensions'), await scene.harm()]).toEqual([false, NO_HARM]);
  });

  it('twin: is taken up by a server that is made to', async () => {
    const scene = await stage();
    scene.app.app.get(RealtimeGateway).server.options.perMessageDeflate = true;
    const guest = await scene.raw({ headers: { 'Sec-WebSocket-Extensions': OFFERS[0] } });
    expect(guest.client.received).toContain('Sec-WebSocket-Extensions: permessage-deflate');
  });

  it('does not make a compressed frame welcome', async () => {
    const scene = await stage();
    const guest = await scene.raw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    // "hello", as in RFC 7692, 7.2.3.1.
    const payload = Buffer.from([0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    await guest.write(rawFrame({ rsv: 4, payload }));
    expect(await guest.closeCode()).toBe(1002);
  });
});
