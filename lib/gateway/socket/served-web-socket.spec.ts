import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { memoryUpgrade, type MemoryUpgrade } from '../../../test/helpers/memory-upgrade.js';
import { ServedWebSocket } from './served-web-socket.js';

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
