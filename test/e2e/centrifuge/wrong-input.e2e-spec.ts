import { testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { IS_PROTOBUF } from '../../helpers/sdk-form.js';
import { LineClient, PATH, startRooms } from './rooms.js';

const ann = testToken('ann');
const CONNECT = { id: 1, connect: { token: ann } };

const CHANNELLESS = ['subscribe', 'unsubscribe', 'publish', 'presence', 'presence_stats', 'history', 'sub_refresh'];

/** True for a command that the form of this project can carry: numbers for texts and the like are JSON alone. */
const isCarried = ([what, command]: readonly [string, object | string]) =>
  !IS_PROTOBUF || (typeof command === 'object' && !JSON_ALONE.has(what));
const JSON_ALONE = new Set([
  'a first command with a token that is no string',
  'an id that is no number',
  'an id that is too large',
  'a method that is no object',
]);

const BEFORE_CONNECT: readonly (readonly [string, object | string])[] = [
  ['a command before the first', { id: 1, subscribe: { channel: 'room:1' } }],
  ['a renewal before the first', { id: 1, refresh: { token: ann } }],
  ['what is sent without an answer before the first', { send: { data: {} } }],
  ['an answer to no ping before the first', {}],
  ['an empty frame', ''],
  ['a line break', '\n'],
  ['no JSON', 'hello'],
  ['JSON that is no object', '[]'],
  ['a first command with a token that is no string', { id: 1, connect: { token: 7 } }],
];

const AFTER_CONNECT: readonly (readonly [string, object | string])[] = [
  ['a second first command', { id: 2, connect: { token: ann } }],
  ['an answer to no ping', {}],
  ['a command without an id', { rpc: { method: 'echo', data: {} } }],
  ['an id of 0', { id: 0, rpc: { method: 'echo', data: {} } }],
  ['an id that is no number', { id: 'a', rpc: { method: 'echo', data: {} } }],
  ['an id that is too large', { id: 2 ** 32, rpc: { method: 'echo', data: {} } }],
  ['an id and no method', { id: 2 }],
  ['an id and a method that there is not', { id: 2, dance: {} }],
  ['a method that is no object', { id: 2, subscribe: 'room:1' }],
  ['a renewal without a token', { id: 2, refresh: {} }],
  ['a kind of delta that there is not', { id: 2, subscribe: { channel: 'room:1', delta: 'x' } }],
  ['what is sent to nobody', { send: { data: 'hello' } }],
  ['no JSON', '{'],
  ['an empty line between two commands', '{"id":2,"unsubscribe":{"channel":"a"}}\n\n{}'],
  ...CHANNELLESS.map((method) => [`${method} without a channel`, { id: 2, [method]: { token: ann } }] as const),
  ...CHANNELLESS.map((method) => [`${method} with an empty channel`, { id: 2, [method]: { channel: '' } }] as const),
];

describe('A connection ends with a bad request', () => {
  it.each(BEFORE_CONNECT.filter(isCarried))('on %s', async (_what, command) => {
    const { client } = await LineClient.to(await startRooms());
    client.send(command);
    expect(await client.nextClose()).toEqual({ code: 3501, reason: expect.stringMatching(/[a-z] [a-z]/) });
    expect(client.pending).toEqual([]);
  });

  it.each(AFTER_CONNECT.filter(isCarried))('on %s', async (_what, command) => {
    const client = await (await LineClient.to(await startRooms())).connect(ann);
    client.send(command);
    expect(await client.client.nextClose()).toEqual({ code: 3501, reason: expect.stringMatching(/[a-z] [a-z]/) });
  });

  // Frames of the Protobuf form are binary: sdk-forms.e2e-spec closes it on a text frame.
  it.skipIf(IS_PROTOBUF)('on a binary frame', async () => {
    const { url } = await startRooms();
    const socket = new WebSocket(url.replace('http', 'ws') + PATH);
    await once(socket, 'open');
    socket.send(Buffer.from(JSON.stringify(CONNECT)));
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([3501, 'Only text frames are accepted.']);
  });

  it('and what came behind it in the same frame is not carried out', async () => {
    const app = await startRooms();
    const client = await LineClient.to(app);
    client.send(CONNECT, { id: 2 }, { id: 3, subscribe: { channel: 'room:1' } });
    await client.client.nextClose();
    expect(client.client.pending.map((line) => (line as { id?: unknown }).id)).toEqual([1]);
  });
});

describe('A connection goes on after', () => {
  it.each([
    ['a ping', { ping: {} }, 108],
    ['a subscription of another kind', { subscribe: { channel: 'room:1', type: 1 } }, 108],
    ['a filter', { subscribe: { channel: 'room:1', tf: { op: 'eq' } } }, 107],
    [
      'a call that is nested too deep',
      { rpc: { method: 'echo', data: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) } },
      106,
    ],
  ])('%s, which is refused', async (_what, command, code) => {
    const client = await (await LineClient.to(await startRooms())).connect(ann);
    client.send({ id: 2, ...command }, { id: 3, unsubscribe: { channel: 'room:1' } });
    expect([await client.reply(2), await client.reply(3)]).toEqual([
      { id: 2, error: { code, message: expect.stringMatching(/[a-z]/) } },
      { id: 3, unsubscribe: {} },
    ]);
  });

  it('fields that it does not know', async () => {
    const client = await LineClient.to(await startRooms());
    client.send(
      { id: 1, connect: { token: ann, name: 'js', version: '1', profile: 'x', flag: 1, nonsense: {} }, more: 1 },
      { id: 2, subscribe: { channel: 'room:1', flag: 1, positioned: true, recoverable: true, nonsense: 1 } },
    );
    expect(await client.reply(2)).toEqual({ id: 2, subscribe: {} });
  });

  // The Protobuf form has no lines.
  it.skipIf(IS_PROTOBUF)('a line break at the end', async () => {
    const client = await LineClient.to(await startRooms());
    client.send(CONNECT, '');
    expect(await client.reply(1)).toHaveProperty('connect');
  });
});
