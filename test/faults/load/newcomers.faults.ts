import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { testToken } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

const NEWCOMERS = 60;

let app: RealtimeApp;
let sockets: Socket[];

beforeEach(async () => {
  app = await startRealtimeApp();
  const { port } = new URL(app.url);
  sockets = Array.from({ length: NEWCOMERS }, () => connect(Number(port), '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // The server has accepted all of them.
  await vi.waitFor(async () => expect(await openSockets()).toBeGreaterThanOrEqual(NEWCOMERS));
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const socket of sockets) socket.destroy();
});

function openSockets(): Promise<number> {
  return new Promise((resolve, reject) =>
    app.app
      .getHttpServer()
      .getConnections((error: Error | null, count: number) => (error ? reject(error) : resolve(count))),
  );
}

/** Has all of them ask at once. @returns how many were let in, in each turn of the event loop that let somebody in */
async function storm(): Promise<number[]> {
  let count = 0;
  const subscription = app.realtime.events$.subscribe(({ type }) => void (type === 'connected' && (count += 1)));
  onTestFinished(() => subscription.unsubscribe());
  sockets.forEach((socket, n) =>
    socket.write(
      `GET /ws?token=${testToken(`user-${n}`)} HTTP/1.1\r\nHost: ${new URL(app.url).host}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ),
  );
  const turns: number[] = [];
  for (let before = 0; before < NEWCOMERS;) {
    await nextTurn();
    if (count > before) turns.push(count - before);
    before = count;
  }
  return turns;
}

describe('newcomers who all ask at once', () => {
  it('are let in over several turns, so that others are served in between', async () => {
    const start = performance.now();
    let looks = 0;
    // Each look at the clock takes a millisecond, however fast the machine is.
    vi.spyOn(performance, 'now').mockImplementation(() => start + ++looks);
    const turns = await storm();
    expect(Math.max(...turns)).toBeLessThanOrEqual(28);
    expect(turns.length).toBeGreaterThanOrEqual(6);
  });

  it('would be let in with the turn in which they ask if no turn came to an end', async () => {
    const start = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => start);
    expect(Math.max(...(await storm()))).toBeGreaterThanOrEqual(30);
  });
});
