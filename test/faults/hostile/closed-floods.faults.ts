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

describe('a client that was closed for its mistakes', () => {
  it('hears of it, and nothing more of it is parsed', async () => {
    const scene = await Scene.set();
    expect(await scene.during(() => flood(scene))).toBeLessThan(2_000);
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: is parsed on when it is closed like others', async () => {
    const deaf = vi.spyOn(ServedWebSocket.prototype, 'closeDeaf').mockImplementation(function (
      this: ServedWebSocket,
      code,
      reason,
    ) {
      this.close(code, reason);
    });
    onTestFinished(() => deaf.mockRestore());
    expect(await flood(await Scene.set())).toBeGreaterThan(10_000);
  });
});
