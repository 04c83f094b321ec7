import { once } from 'node:events';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { commandFrame, repliesIn } from '../../helpers/protobuf-lines.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

const PATH = '/ws/connection/websocket';
const CONNECT = { id: 1, connect: { token: testToken('ann') } };

async function open(query: string, offers: readonly string[] = []): Promise<WebSocket> {
  const { url } = await startRealtimeApp({ options: { centrifuge: true } });
  const socket = new WebSocket(url.replace('http', 'ws') + PATH + query, [...offers]);
  await once(socket, 'open');
  return socket;
}

/** The form in which a server answers `connect`. */
async function formOf(socket: WebSocket, form: 'json' | 'protobuf'): Promise<string> {
  socket.send(form === 'json' ? JSON.stringify(CONNECT) : commandFrame(CONNECT));
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  const answer = isBinary ? repliesIn(data)[0] : (JSON.parse(data.toString()) as object);
  expect(answer).toMatchObject({ id: 1, connect: { client: expect.any(String) } });
  return isBinary ? 'protobuf' : 'json';
}

describe('A client of the path for SDKs speaks', () => {
  it.each<[query: string, offers: readonly string[], form: 'json' | 'protobuf', selected: string]>([
    ['', [], 'json', ''],
    ['?cf_protocol=protobuf', [], 'protobuf', ''],
    ['?format=protobuf', [], 'protobuf', ''],
    ['?cf_protocol=json', [], 'json', ''],
    ['?cf_protocol_version=v2', [], 'json', ''],
    ['', ['centrifuge-protobuf'], 'protobuf', 'centrifuge-protobuf'],
    ['', ['centrifuge-json'], 'json', 'centrifuge-json'],
    ['?cf_protocol=protobuf', ['centrifuge-json'], 'json', 'centrifuge-json'],
    ['', ['centrifuge-protobuf', 'centrifuge-json'], 'protobuf', 'centrifuge-protobuf'],
  ])('what its request selects: "%s" with %j is %s', async (query, offers, form, selected) => {
    const socket = await open(query, offers);
    expect([await formOf(socket, form), socket.protocol]).toEqual([form, selected]);
  });
});

describe('A message to clients of all forms', () => {
  const LONG = 'again and again, '.repeat(500);

  it.each([false, true])(
    'reaches each of them in its own form, with the same data; compressed: %j',
    async (compression) => {
      const app = await startRealtimeApp({ options: { centrifuge: true, compression } });
      const plain = await app.connectAs('ann');
      const clients = await Promise.all(
        (['json', 'protobuf'] as const).map(async (form) => {
          const url = `${app.url.replace('http', 'ws')}${PATH}?format=${form}`;
          const socket = new WebSocket(url, { perMessageDeflate: true });
          await once(socket, 'open');
          expect([await formOf(socket, form), socket.extensions !== '']).toEqual([form, compression]);
          return socket;
        }),
      );
      const heard = clients.map((socket) => once(socket, 'message') as Promise<[Buffer, boolean]>);
      expect(await app.realtime.broadcast({ type: 'x', payload: LONG })).toMatchObject({ recipients: 3 });
      const { type, payload, timestamp } = await plain.next('x');
      const [[text, isText], [bytes, isBinary]] = await Promise.all([heard[0]!, heard[1]!]);
      const expected = { push: { message: { data: { type, payload, timestamp } } } };
      expect([JSON.parse(text.toString()), isText]).toEqual([expected, false]);
      expect([repliesIn(bytes), isBinary]).toEqual([[expected], true]);
    },
  );
});

describe('A frame of the other kind closes the connection', () => {
  it.each([
    ['text', '?format=protobuf', JSON.stringify(CONNECT), 'Only binary frames are accepted.'],
    ['bytes', '', commandFrame(CONNECT), 'Only text frames are accepted.'],
  ])('%s', async (_what, query, frame, reason) => {
    const socket = await open(query);
    socket.send(frame);
    const [code, said] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, said.toString()]).toEqual([3501, reason]);
  });
});

describe('A frame that is no command closes a connection in Protobuf', () => {
  it.each([
    ['nothing', Buffer.of(), 'a frame is empty'],
    ['a command that is cut off', Buffer.of(9, 8), 'a command is longer than its frame'],
    ['a length of 2^63', Buffer.from('80808080808080808001', 'hex'), 'a command is longer than its frame'],
    ['a group', Buffer.of(1, 0x0b), 'a command has a field of the wrong wire type'],
    ['data that is not JSON', Buffer.from('0562030a017b', 'hex'), 'the data of a command is not JSON text'],
    [
      'an id of 64 bits',
      Buffer.from('0d08ffffffffffffffffff015a00', 'hex'),
      'the id must be a whole number of at most 32 bits',
    ],
  ])('%s', async (_what, frame, reason) => {
    const socket = await open('?format=protobuf');
    socket.send(frame);
    const [code, said] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, said.toString()]).toEqual([3501, reason]);
  });
});
