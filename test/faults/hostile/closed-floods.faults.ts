import { deflateRawSync, InflateRaw } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SocketEndpoint } from '../../../lib/gateway/session/socket-endpoint.js';
import { ServedWebSocket } from '../../../lib/gateway/socket/served-web-socket.js';
import { rawFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const WRONG = rawFrame({ payload: 'hello' });
const FLOOD = Buffer.concat(Array.from({ length: 20_000 }, () => WRONG));

/** A client that sends wrong frames until it is closed, and goes on. @returns how many of its frames were parsed */
async function flood(scene: Scene): Promise<number> {
  const receive = vi.spyOn(SocketEndpoint.prototype, 'receive');
  onTestFinished(() => receive.mockRestore());
  const guest = await scene.raw();
  const closing = guest.closeCode();
  await guest.write(FLOOD);
  expect([3509, 3013]).toContain(await closing);
  guest.client.socket.write(FLOOD, () => undefined);
  await guest.client.closed();
  return receive.mock.calls.length;
}

function closeLikeOthers(): void {
  const deaf = vi.spyOn(ServedWebSocket.prototype, 'closeDeaf').mockImplementation(function (
    this: ServedWebSocket,
    code,
    reason,
  ) {
    this.close(code, reason);
  });
  onTestFinished(() => deaf.mockRestore());
}

describe('a client that was closed for its mistakes', () => {
  it('hears of it, and nothing more of it is parsed', async () => {
    const scene = await Scene.set();
    expect(await scene.during(() => flood(scene))).toBeLessThan(2_000);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: is parsed on when it is closed like others', async () => {
    closeLikeOthers();
    expect(await flood(await Scene.set())).toBeGreaterThan(10_000);
  });
});

/** A frame of 64 KB that compression has made small; it is no command. */
const COMPRESSED = rawFrame({ rsv: 4, payload: deflateRawSync('x'.repeat(64_000)) });
const BOMBS = Buffer.concat(Array.from({ length: 2_000 }, () => COMPRESSED));

/**
 * A client that sends compressed frames until it is closed, and goes on.
 * @param isCutOff whether the end of its socket is waited for
 * @returns how many were inflated so far
 */
async function bombard(scene: Scene, isCutOff: boolean): Promise<() => number> {
  const inflate = vi.spyOn(InflateRaw.prototype, 'write');
  onTestFinished(() => inflate.mockRestore());
  const guest = await scene.raw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
  expect(guest.client.received).toContain('permessage-deflate');
  const closing = guest.closeCode();
  await guest.write(BOMBS);
  expect([3509, 3013]).toContain(await closing);
  guest.client.socket.write(BOMBS, () => undefined);
  if (isCutOff) await guest.client.closed();
  // Behind each message ws writes the four bytes that a sender leaves out.
  return () => inflate.mock.calls.filter(([data]) => (data as Buffer).length > 4).length;
}

describe('a client whose compressed frames have it closed', () => {
  const parts = { options: { compression: true } };

  it('has no more of them inflated', async () => {
    const scene = await Scene.set(parts);
    const inflated = await scene.during(() => bombard(scene, true));
    expect(inflated()).toBeLessThan(200);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: has them inflated when it is closed like others', async () => {
    closeLikeOthers();
    const inflated = await bombard(await Scene.set(parts), false);
    await expect.poll(inflated, { timeout: 20_000 }).toBeGreaterThan(500);
  });
});
