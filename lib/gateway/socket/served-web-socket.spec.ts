import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { memoryUpgrade, type MemoryUpgrade } from '../../../test/helpers/memory-upgrade.js';
import { ServedWebSocket, type SocketHandlers } from './served-web-socket.js';

let upgrade: MemoryUpgrade;
let ws: ServedWebSocket;
/** The bytes that were written when `closing` was emitted, each time. */
let closings: string[];

beforeEach(async () => {
  upgrade = memoryUpgrade();
  closings = [];
  const server = new WebSocketServer({ noServer: true, WebSocket: ServedWebSocket });
  ws = await new Promise((resolve) => {
    server.handleUpgrade(upgrade.request, upgrade.socket, Buffer.alloc(0), resolve);
  });
  ws.on('closing', () => closings.push(upgrade.written()));
  ws.on('error', () => undefined);
  onTestFinished(() => ws.terminate());
});

/** A frame of a client: opcode and payload under a mask of zeros. */
const frame = (opcode: number, payload: string) =>
  Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...Buffer.from(payload, 'latin1')]);

/** The close frame of the server: it begins with 0x88. */
const CLOSE_FRAME = '\u0088';

describe('a served WebSocket emits "closing" once, before its close frame', () => {
  it.each<[string, () => unknown]>([
    ['if the server closes', () => ws.close(3000, 'bye')],
    ['if the server closes twice', () => [ws.close(3000, 'bye'), ws.close(3001, 'again')]],
    ['if the client closes', () => upgrade.socket.push(frame(8, '\u0003\u00e8'))],
    ['if the client violates the protocol', () => upgrade.socket.push(frame(15, ''))],
  ])('%s', async (_who, close) => {
    close();
    await expect.poll(() => upgrade.written()).toContain(CLOSE_FRAME);
    expect(closings).toHaveLength(1);
    expect(closings[0]).not.toContain(CLOSE_FRAME);
  });
});

describe('an event of a served WebSocket', () => {
  const handle = (...names: string[]) => {
    const heard: unknown[] = [];
    const note = (name: string) => [name, (...args: unknown[]) => heard.push([name, ...args])] as const;
    ws.handlers = Object.fromEntries(names.map(note)) as unknown as SocketHandlers;
    return heard;
  };

  it('reaches its handler, with all that it brings', async () => {
    const heard = handle('message', 'close');
    upgrade.socket.push(frame(1, 'hello'));
    await expect.poll(() => heard).toEqual([['message', Buffer.from('hello'), false]]);
  });

  it('reaches the listeners if it has no handler', async () => {
    const [heard, listened] = [handle('close'), vi.fn()];
    ws.on('message', listened);
    upgrade.socket.push(frame(1, 'hello'));
    await expect.poll(() => listened.mock.calls).toEqual([[Buffer.from('hello'), false]]);
    expect(heard).toEqual([]);
  });
});
