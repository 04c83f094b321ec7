import { OnMessage, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('ask', { requireSubscription: false })
  ask() {
    return 'answer';
  }
}

let app: RealtimeApp;
let ann: Guest;

beforeEach(async () => {
  app = await startRealtimeApp({
    providers: [DeskTopic],
    options: { limits: { maxMessageBytes: 2_048, maxFragments: 4, maxJsonDepth: 8, maxJsonKeys: 20 } },
  });
  ann = await app.connectAs('ann');
});

/** The socket of a client, for what a client should not do. */
const socketOf = (guest: Guest) => guest.socket as unknown as WebSocket;
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
const ask = (more: object): string => JSON.stringify({ action: 'message', topic: 'desk', type: 'ask', id: 1, ...more });

const REFUSED: [what: string, frame: string | Buffer, code: string, id?: unknown][] = [
  ['an empty frame', '', 'INVALID_MESSAGE'],
  ['prose', 'hello', 'INVALID_MESSAGE'],
  ['half an object', '{"action":"ping"', 'INVALID_MESSAGE'],
  ['two objects', '{"action":"ping"}{"action":"ping"}', 'INVALID_MESSAGE'],
  ['a byte order mark', '\ufeff{"action":"ping"}', 'INVALID_MESSAGE'],
  ['a list', '[{"action":"ping","id":1}]', 'INVALID_MESSAGE'],
  ['a number', '7', 'INVALID_MESSAGE'],
  ['a string', '"ping"', 'INVALID_MESSAGE'],
  ['null', 'null', 'INVALID_MESSAGE'],
  ['true', 'true', 'INVALID_MESSAGE'],
  ['a binary frame', Buffer.from('{"action":"ping","id":1}'), 'INVALID_MESSAGE'],
  ['an empty binary frame', Buffer.alloc(0), 'INVALID_MESSAGE'],
  ['no action', '{"id":1}', 'INVALID_MESSAGE', 1],
  ['an action that is a number', '{"id":1,"action":1}', 'INVALID_MESSAGE', 1],
  ['an action that is null', '{"id":1,"action":null}', 'INVALID_MESSAGE', 1],
  ['an unknown action', '{"id":1,"action":"dance"}', 'UNKNOWN_ACTION', 1],
  ['an empty action', '{"id":1,"action":""}', 'UNKNOWN_ACTION', 1],
  ['an action in capitals', '{"id":1,"action":"PING"}', 'UNKNOWN_ACTION', 1],
  ['subscribe without a topic', '{"id":1,"action":"subscribe"}', 'INVALID_MESSAGE', 1],
  ['subscribe to a number', '{"id":1,"action":"subscribe","topic":7}', 'INVALID_MESSAGE', 1],
  ['subscribe to a list', '{"id":1,"action":"subscribe","topic":["desk"]}', 'INVALID_MESSAGE', 1],
  ['subscribe to a bad topic', '{"id":1,"action":"subscribe","topic":"a b"}', 'VALIDATION_FAILED', 1],
  ['unsubscribe without a topic', '{"id":1,"action":"unsubscribe"}', 'INVALID_MESSAGE', 1],
  ['message without a topic', '{"id":1,"action":"message","type":"ask"}', 'INVALID_MESSAGE', 1],
  ['message without a type', '{"id":1,"action":"message","topic":"desk"}', 'INVALID_MESSAGE', 1],
  ['message with a type that is an object', ask({ type: {} }), 'INVALID_MESSAGE', 1],
  ['cancel without an id', '{"action":"cancel"}', 'INVALID_MESSAGE'],
  ['cancel with an id that is none', '{"action":"cancel","id":{}}', 'INVALID_MESSAGE'],
  ['auth without a token', '{"id":1,"action":"auth"}', 'INVALID_MESSAGE', 1],
  ['auth with a number', '{"id":1,"action":"auth","token":7}', 'INVALID_MESSAGE', 1],
  ['auth with a bad token', '{"id":1,"action":"auth","token":"bad"}', 'UNAUTHENTICATED', 1],
  ['9 levels where 8 may be', `{"id":1,"action":"ping","x":${nested(8)}}`, 'LIMIT_EXCEEDED', 1],
  ['1,000 levels', `{"id":1,"action":"ping","x":${nested(900)}}`, 'LIMIT_EXCEEDED', 1],
  ['21 keys where 20 may be', ask({ payload: keys(21) }), 'LIMIT_EXCEEDED', 1],
  ['21 entries of a list', ask({ payload: Array.from({ length: 21 }) }), 'LIMIT_EXCEEDED', 1],
];

describe('a frame that is refused', () => {
  it.each(REFUSED)('is answered with an error: %s', async (_what, frame, code, id) => {
    socketOf(ann).send(frame);
    const error = await ann.next('realtime:error');
    expect([error.payload.code, error.id]).toEqual([code, id]);
  });

  it.each(REFUSED)('leaves the socket open: %s', async (_what, frame) => {
    socketOf(ann).send(frame);
    expect(await ann.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });

  it.each(REFUSED)('is answered once: %s', async (_what, frame) => {
    socketOf(ann).send(frame);
    expect(await typesReceivedBy(ann)).toEqual(['realtime:error']);
  });
});

describe('a frame that is unusual', () => {
  it.each([
    ['unknown fields', ask({ more: true, ['__proto__']: 1, toString: null })],
    ['the same field twice: the last counts', '{"action":"dance","action":"ping","id":1}'],
    ['white space around it', ' \n{"action":"ping","id":1}\t '],
    ['escaped characters', '{"\\u0061ction":"pi\\u006eg","id":1}'],
    ['8 levels where 8 may be', `{"id":1,"action":"ping","x":${nested(7)}}`],
    ['20 keys where 20 may be', ask({ payload: keys(20) })],
    ['a payload under __proto__', '{"action":"ping","id":1,"__proto__":{"id":2,"action":"dance"}}'],
  ])('is understood: %s', async (_what, frame) => {
    ann.send(frame);
    expect(await ann.next()).toMatchObject({ type: expect.stringMatching(/pong|reply/), id: 1 });
  });

  it('is understood in as many fragments as may be', async () => {
    const socket = socketOf(ann);
    for (const part of ['{"action"', ':"ping"', ',"id"']) socket.send(part, { fin: false });
    socket.send(':1}', { fin: true });
    expect(await ann.next()).toMatchObject({ type: 'realtime:pong', id: 1 });
  });

  it('is understood when it has exactly the size that may be', async () => {
    const frame = ask({ payload: '' });
    ann.send(ask({ payload: 'x'.repeat(2_048 - frame.length) }));
    expect(await ann.next()).toMatchObject({ type: 'realtime:reply' });
  });
});

describe('a frame that breaks the WebSocket protocol', () => {
  it('closes with 1009 when it is too big', async () => {
    ann.send('x'.repeat(2_049));
    expect(await ann.nextClose()).toMatchObject({ code: 1009 });
  });

  it('closes with 1009 when its fragments are too big together', async () => {
    const socket = socketOf(ann);
    socket.send('x'.repeat(2_000), { fin: false });
    socket.send('x'.repeat(2_000), { fin: true });
    expect(await ann.nextClose()).toMatchObject({ code: 1009 });
  });

  it('closes with 1007 when it is no UTF-8', async () => {
    socketOf(ann).send(Buffer.from([0x7b, 0xff, 0xfe]), { binary: false });
    expect(await ann.nextClose()).toMatchObject({ code: 1007 });
  });

  it('closes with 1008 when it has too many fragments', async () => {
    const socket = socketOf(ann);
    for (let part = 0; part < 6; part++) socket.send('x', { fin: false });
    expect(await ann.nextClose()).toMatchObject({ code: 1008 });
  });

  it('closes with 1002 when it is not masked', async () => {
    const raw = (socketOf(ann) as unknown as { _socket: { write(bytes: Buffer): void } })._socket;
    raw.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
    expect(await ann.nextClose()).toMatchObject({ code: 1002 });
  });

  it.each([
    ['too big', (socket: WebSocket) => socket.send('x'.repeat(3_000))],
    ['no UTF-8', (socket: WebSocket) => socket.send(Buffer.from([0xff]), { binary: false })],
  ])('costs no other connection: %s', async (_what, misbehave) => {
    const bob = await app.connectAs('bob');
    misbehave(socketOf(ann));
    await ann.nextClose();
    await expect(bob.settled()).resolves.toBeUndefined();
  });

  it('leaves nothing behind', async () => {
    await ann.request({ action: 'subscribe', topic: 'desk' });
    ann.send('x'.repeat(3_000));
    await ann.nextClose();
    await expect.poll(() => app.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });
});
