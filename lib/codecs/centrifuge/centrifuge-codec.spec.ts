import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Command, CommandId } from '../../core/protocol/command.js';
import { ERROR_CODES, type ErrorCode } from '../../core/protocol/error-code.js';
import { stringifyMessage } from '../../core/message/message.js';
import type { Push } from '../../core/protocol/push.js';
import type { Decoded, DecodedBatch } from '../../ports/codec.js';
import { CentrifugeCodec } from './centrifuge-codec.js';
import { commandIdOf, METHODS, type Method } from './method.js';
import { SERVER_VERSION as version } from './server-version.js';

const codec = new CentrifugeCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });
const NOW = '2026-11-23T08:00:00.000Z';

function decodeAll(frame: string): readonly Decoded[] {
  const decoded = codec.decode(frame);
  return 'batch' in decoded ? [...decoded.batch] : [decoded];
}

function command(line: object): Command | undefined {
  const [decoded] = decodeAll(JSON.stringify(line));
  return decoded?.ok ? decoded.command : undefined;
}

function encode(push: Push): unknown {
  const text = codec.encodePush(push, NOW);
  return text === undefined ? undefined : JSON.parse(text);
}

const inSeconds = (seconds: number) => new Date(Date.parse(NOW) + seconds * 1_000);

describe('reading a frame', () => {
  it.each<[object, object]>([
    [
      { id: 1, connect: { token: 't' } },
      { action: 'auth', id: 'connect:1', token: 't', stage: 'opening' },
    ],
    [
      { id: 1, connect: {} },
      { action: 'auth', id: '-connect:1', token: '', stage: 'opening' },
    ],
    [
      { id: 1, connect: { headers: { authorization: 'bearer t' } } },
      { action: 'auth', id: 'connect:1', token: 't', stage: 'opening' },
    ],
    [
      { id: 1, connect: { subs: { a: { recover: true, epoch: 'e', offset: 7 }, b: { epoch: 'e' }, c: 1 } } },
      {
        action: 'auth',
        id: '-connect:1',
        token: '',
        stage: 'opening',
        recover: new Map([['a', { epoch: 'e', offset: 7 }]]),
      },
    ],
    [
      { id: 2, refresh: { token: 't' } },
      { action: 'auth', id: 'refresh:2', token: 't', stage: 'renewal' },
    ],
    [
      { id: 2, subscribe: { channel: 'c' } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c' },
    ],
    [
      { id: 2, subscribe: { channel: 'c', token: 't', data: [1], join_leave: true } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', token: 't', payload: [1], presence: 'if-kept' },
    ],
    [
      { id: 2, subscribe: { channel: 'c', recover: true, epoch: 'e', offset: 7, flag: 3 } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', recover: { epoch: 'e', offset: 7 }, rejectsLoss: true },
    ],
    [
      { id: 2, subscribe: { channel: 'c', recover: true, epoch: 'e', offset: 7 } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', recover: { epoch: 'e', offset: 7 } },
    ],
    [
      { id: 2, subscribe: { channel: 'c', epoch: 'e', offset: 7 } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c' },
    ],
    [
      { id: 2, sub_refresh: { channel: 'c', token: 't' } },
      { action: 'subscribe', id: 'sub_refresh:2', topic: 'c', token: 't', renews: true },
    ],
    [
      { id: 2, subscribe: { channel: 'c', recover: true, epoch: '?', offset: -1 } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', recover: { epoch: '?', offset: 0 } },
    ],
    [
      { id: 2, subscribe: { channel: 'c', recover: true, epoch: 'e'.repeat(65), offset: 3 } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', recover: { epoch: '?', offset: 0 } },
    ],
    [
      { id: 2, subscribe: { channel: 'c', recover: true, offset: 3 } },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', recover: { epoch: '', offset: 3 } },
    ],
    [
      { id: 2, history: { channel: 'c' } },
      { action: 'history', id: 'history:2', topic: 'c', limit: 0 },
    ],
    [
      { id: 2, history: { channel: 'c', limit: -1 } },
      { action: 'history', id: 'history:2', topic: 'c' },
    ],
    [
      { id: 2, history: { channel: 'c', limit: 5, since: { epoch: 'e', offset: 3 }, reverse: true } },
      {
        action: 'history',
        id: 'history:2',
        topic: 'c',
        limit: 5,
        since: { epoch: 'e', offset: 3 },
        reverse: true,
      },
    ],
    [
      { id: 2, unsubscribe: { channel: 'c' } },
      { action: 'unsubscribe', id: 'unsubscribe:2', topic: 'c' },
    ],
    [
      { id: 2, publish: { channel: 'c', data: { type: 'say', payload: 1 } } },
      { action: 'message', id: 'publish:2', topic: 'c', type: 'say', payload: 1, single: true },
    ],
    [
      { id: 2, rpc: { method: 'say', data: { topic: 'c', payload: 1 } } },
      { action: 'message', id: 'rpc:2', topic: 'c', type: 'say', payload: 1, single: true },
    ],
    [
      { id: 2, rpc: { method: 'say', data: { topic: 'c', payload: 1, stream: true } } },
      {
        action: 'message',
        id: 'rpc:2',
        topic: 'c',
        type: 'say',
        payload: 1,
        stream: { id: 'stream:2', accepted: { stream: 2 } },
      },
    ],
    [
      { id: 2, rpc: { method: 'say', data: { topic: 'c', stream: 'true' } } },
      { action: 'message', id: 'rpc:2', topic: 'c', type: 'say', payload: undefined, single: true },
    ],
    [
      { id: 3, rpc: { method: 'realtime:cancel', data: { id: 2 } } },
      { action: 'cancel', id: 'stream:2', answers: 'rpc:3' },
    ],
    [
      { send: { data: { topic: 'c', type: 'say', payload: 1 } } },
      { action: 'message', topic: 'c', type: 'say', payload: 1, single: true },
    ],
    [
      { id: 1, connect: { token: null, headers: { authorization: 'bearer t' }, data: null, subs: null } },
      { action: 'auth', id: 'connect:1', token: 't', stage: 'opening' },
    ],
    [
      {
        id: 2,
        subscribe: { channel: 'c', token: null, type: null, tf: null, delta: null, recover: true, epoch: null },
      },
      { action: 'subscribe', id: 'subscribe:2', topic: 'c', recover: { epoch: '', offset: 0 } },
    ],
    [
      { id: 2, history: { channel: 'c', limit: null, since: null, reverse: null } },
      { action: 'history', id: 'history:2', topic: 'c', limit: 0 },
    ],
    [{}, { action: 'pong' }],
    [
      { id: 2, connect: null, unsubscribe: { channel: 'c' } },
      { action: 'unsubscribe', id: 'unsubscribe:2', topic: 'c' },
    ],
  ])('gives the command: %j', (line, expected) => {
    expect(command(line)).toEqual(expected);
  });

  it('gives the commands of all lines, in their order', () => {
    const lines = [1, 2, 3].map((id) => JSON.stringify({ id, unsubscribe: { channel: 'c' } }));
    const ids = decodeAll(`${lines.join('\n')}\n`).map((decoded) => decoded.ok && decoded.command.id);
    expect(ids).toEqual(['unsubscribe:1', 'unsubscribe:2', 'unsubscribe:3']);
  });

  it('makes no list for a single command', () => {
    expect(codec.decode('{}\n')).toEqual({ ok: true, command: { action: 'pong' } });
    const pong = { ok: true, command: { action: 'pong' }, bytes: 2 };
    expect(Array.from((codec.decode('{}\n{ }\n{}') as DecodedBatch).batch)).toEqual([
      pong,
      { ...pong, bytes: 3 },
      pong,
    ]);
  });

  it('counts the bytes of each of several commands', () => {
    const lines = ['c', 'é', '\u{1f600}'].map((data) =>
      JSON.stringify({ rpc: { method: 'm', data: { topic: 't', data } }, id: 1 }),
    );
    const bytes = decodeAll(lines.join('\n')).map((decoded) => decoded.ok && decoded.bytes);
    expect(bytes).toEqual(lines.map((line) => Buffer.byteLength(line)));
    expect(new Set(bytes).size).toBe(3);
  });

  it('decodes a line only when it is asked for', () => {
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parse.mockRestore());
    const { batch } = codec.decode('{"id":1,"unsubscribe":{"channel":"c"}}\n{"id":2}\n{"id":3}') as DecodedBatch;
    for (const decoded of batch) if (decoded.ok) break;
    expect(parse).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['an empty line', '', 'a command is empty'],
    ['a line that is not JSON', 'x', 'a command is not JSON'],
    ['a command without a method', '{"id":1}', 'there is no such method'],
  ])('stops at the first failure that nobody can be told about: %s', (_what, line, message) => {
    const decoded = decodeAll(`{"id":1,"ping":{}}\n${line}\n{"id":2,"ping":{}}`);
    expect(decoded.map((each) => !each.ok && each.error.message)).toEqual(['Not available here.', message]);
  });

  it('takes as many commands as a frame may hold, and no more', () => {
    const line = '{"id":7,"ping":{}}';
    const frameOf = (count: number) => Array.from({ length: count }, () => line).join('\n');
    expect(decodeAll(frameOf(4_096))).toHaveLength(4_096);
    expect(decodeAll(frameOf(9_000)).slice(4_096)).toEqual([
      { ok: false, error: { code: 'INVALID_MESSAGE', message: 'a frame may hold at most 4096 commands' } },
    ]);
  });

  it('keeps the id of a command that is refused', () => {
    const [decoded] = decodeAll('{"id":7,"ping":{}}');
    expect(decoded).toMatchObject({ ok: false, id: 'ping:7' });
  });
});

/** Names that mean something in a request, or to JavaScript. */
const NAMES =
  'channel token data type method topic payload headers authorization recover epoch offset delta tf flag join_leave limit since reverse __proto__'.split(
    ' ',
  );

describe('no input', () => {
  const bits = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('c', '', 0, 1, -1, 2 ** 32, 1.5, null, true, [], {}, '__proto__', 'constructor'),
  );
  const fields = fc.constantFrom(...NAMES);
  const requests = fc.oneof(bits, fc.dictionary(fields, fc.oneof(bits, fc.dictionary(fields, bits))));
  const lines = fc.oneof(
    fc.dictionary(fc.oneof(fc.constantFrom('id', ...METHODS), fields), requests),
    fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(...METHODS), requests).map(([id, method, request]) => {
      return { id, [method]: request };
    }),
  );
  const texts = fc.oneof(
    fc.string(),
    lines.map((line) => JSON.stringify(line)),
    fc.json(),
  );
  const frames = fc.array(texts, { minLength: 1, maxLength: 4 }).map((all) => all.join('\n'));

  it('makes it throw, or give anything but commands and errors in their form', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        for (const decoded of decodeAll(frame)) {
          if (decoded.ok) expect(decoded.command.action).toMatch(/^[a-z]+$/);
          else expect(decoded.error).toEqual({ code: expect.toSatisfy(isCode), message: expect.any(String) });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is told back in an error or in the reason of a close', () => {
    fc.assert(
      fc.property(frames, fc.uuid(), (frame, secret) => {
        const hidden = frame.replaceAll(/"c"|""/g, JSON.stringify(secret));
        const told = decodeAll(hidden).map((decoded) => (decoded.ok ? '' : decoded.error.message));
        expect(told.join()).not.toContain(secret);
      }),
    );
  });

  it('gives a command fields that are of another type than they are said to be', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        for (const decoded of decodeAll(frame)) {
          if (!decoded.ok) continue;
          const { topic = 'c', type = 't', token = '' } = decoded.command as unknown as Record<string, unknown>;
          expect([typeof topic, typeof type, typeof token]).toEqual(['string', 'string', 'string']);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is read into a prototype', () => {
    decodeAll('{"id":1,"rpc":{"method":"m","data":{"topic":"c","__proto__":{"polluted":1}}}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

function isCode(value: unknown): value is ErrorCode {
  return Object.hasOwn(ERROR_CODES, value as string);
}

describe('writing a push', () => {
  const id = (method: Method, hasToken?: boolean): CommandId => commandIdOf(method, 7, hasToken);
  const WELCOME = { kind: 'welcome', connectionId: 'n.c', userId: 'ann', heartbeatMs: 25_000 } as const;
  const ANN = { userId: 'ann', info: 'A', connections: 2 };
  const RECOVERED = [
    { offset: 4, text: '{"type":"x"}' },
    { offset: 5, text: '{"type":"y"}' },
  ];
  const expiresAt = inSeconds(3_600);

  it.each<[string, Push, unknown]>([
    [
      'the welcome answers the first command',
      { ...WELCOME, answers: id('connect'), expiresAt },
      { id: 7, connect: { client: 'n.c', version, ping: 25, pong: true, expires: true, ttl: 3_575 } },
    ],
    [
      'the welcome asks for no other token when the client brought none',
      { ...WELCOME, answers: id('connect', false), expiresAt },
      { id: 7, connect: { client: 'n.c', version, ping: 25, pong: true } },
    ],
    [
      'a ping is announced in whole seconds',
      { ...WELCOME, heartbeatMs: 20, answers: id('connect') },
      { id: 7, connect: { client: 'n.c', version, ping: 1, pong: true } },
    ],
    [
      'the welcome tells the topic of the user’s own',
      {
        ...WELCOME,
        answers: id('connect', false),
        personal: { topic: '#user:ann', position: { epoch: 'e', offset: 3 } },
      },
      {
        id: 7,
        connect: {
          client: 'n.c',
          version,
          ping: 25,
          pong: true,
          subs: { '#user:ann': { recoverable: true, positioned: true, epoch: 'e', offset: 3 } },
        },
      },
    ],
    ...[true, false].map((recovered): [string, Push, unknown] => [
      `the welcome tells what became of the wish to recover: ${recovered}`,
      {
        ...WELCOME,
        answers: id('connect', false),
        personal: { topic: '#user:ann', position: { epoch: 'e', offset: 3 }, recovered },
      },
      expect.objectContaining({
        connect: expect.objectContaining({
          subs: {
            '#user:ann': {
              recoverable: true,
              positioned: true,
              epoch: 'e',
              offset: 3,
              was_recovering: true,
              ...(recovered && { recovered }),
            },
          },
        }),
      }),
    ]),
    [
      'the welcome has what was recovered of the topic of the user’s own',
      {
        ...WELCOME,
        answers: id('connect', false),
        personal: { topic: '#user:"}', position: { epoch: 'e', offset: 3 }, recovered: true, publications: RECOVERED },
      },
      {
        id: 7,
        connect: {
          client: 'n.c',
          version,
          ping: 25,
          pong: true,
          subs: {
            '#user:"}': {
              recoverable: true,
              positioned: true,
              epoch: 'e',
              offset: 3,
              was_recovering: true,
              recovered: true,
              publications: [
                { data: { type: 'x' }, offset: 4 },
                { data: { type: 'y' }, offset: 5 },
              ],
            },
          },
        },
      },
    ],
    ['the first token is not confirmed', { kind: 'authenticated', id: id('connect'), userId: 'ann' }, undefined],
    [
      'another token is',
      { kind: 'authenticated', id: id('refresh'), userId: 'ann', expiresAt },
      { id: 7, refresh: { expires: true, ttl: 3_575 } },
    ],
    ['the end of a token is not announced', { kind: 'expiring', expiresAt }, undefined],
    ['a subscription is confirmed', { kind: 'subscribed', id: id('subscribe'), topic: 't' }, { id: 7, subscribe: {} }],
    [
      'a subscription has the end of its token',
      { kind: 'subscribed', id: id('subscribe'), topic: 't', expiresAt },
      { id: 7, subscribe: { expires: true, ttl: 3_575 } },
    ],
    [
      'so has one whose token was renewed',
      { kind: 'subscribed', id: id('sub_refresh'), topic: 't', expiresAt },
      { id: 7, sub_refresh: { expires: true, ttl: 3_575 } },
    ],
    [
      'a subscription has its place in the history',
      { kind: 'subscribed', id: id('subscribe'), topic: 't', position: { epoch: 'e', offset: 3 } },
      { id: 7, subscribe: { recoverable: true, positioned: true, epoch: 'e', offset: 3 } },
    ],
    [
      'an offset of 0 is left out',
      { kind: 'subscribed', id: id('subscribe'), topic: 't', position: { epoch: 'e', offset: 0 } },
      { id: 7, subscribe: { recoverable: true, positioned: true, epoch: 'e' } },
    ],
    [
      'a recovery that succeeded is said',
      { kind: 'subscribed', id: id('subscribe'), topic: 't', position: { epoch: 'e', offset: 3 }, recovered: true },
      {
        id: 7,
        subscribe: {
          recoverable: true,
          positioned: true,
          epoch: 'e',
          offset: 3,
          was_recovering: true,
          recovered: true,
        },
      },
    ],
    [
      'the answer has what was recovered, as it was written',
      {
        kind: 'subscribed',
        id: id('subscribe'),
        topic: 't',
        position: { epoch: 'e', offset: 3 },
        recovered: true,
        publications: RECOVERED,
        data: { title: '}' },
      },
      {
        id: 7,
        subscribe: {
          recoverable: true,
          positioned: true,
          epoch: 'e',
          offset: 3,
          was_recovering: true,
          recovered: true,
          data: { title: '}' },
          publications: [
            { data: { type: 'x' }, offset: 4 },
            { data: { type: 'y' }, offset: 5 },
          ],
        },
      },
    ],
    [
      'a recovery from which nothing was missing has no publications',
      {
        kind: 'subscribed',
        id: id('subscribe'),
        topic: 't',
        position: { epoch: 'e', offset: 0 },
        recovered: true,
        publications: [],
      },
      { id: 7, subscribe: { recoverable: true, positioned: true, epoch: 'e', was_recovering: true, recovered: true } },
    ],
    [
      'a recovery is said to have failed where the topic keeps no history',
      { kind: 'subscribed', id: id('subscribe'), topic: 't', recovered: false },
      { id: 7, subscribe: { was_recovering: true } },
    ],
    [
      'a recovery that failed is said',
      { kind: 'subscribed', id: id('subscribe'), topic: 't', position: { epoch: 'e', offset: 3 }, recovered: false },
      { id: 7, subscribe: { recoverable: true, positioned: true, epoch: 'e', offset: 3, was_recovering: true } },
    ],
    [
      'a subscription by the server is pushed',
      { kind: 'subscribed', topic: 't' },
      { push: { channel: 't', subscribe: {} } },
    ],
    [
      'a subscription that has missed something is begun again by the client',
      { kind: 'subscribed', topic: 't', position: { epoch: 'e', offset: 3 }, recovered: false },
      { push: { channel: 't', unsubscribe: { code: 2500, reason: 'publications were missed' } } },
    ],
    [
      'a subscription by the server that has missed something goes on elsewhere',
      { kind: 'subscribed', topic: 't', position: { epoch: 'e', offset: 3 }, recovered: false, byServer: true },
      { push: { channel: 't', subscribe: { recoverable: true, positioned: true, epoch: 'e', offset: 3 } } },
    ],
    [
      'a history has its publications as they were written',
      {
        kind: 'history',
        id: id('history'),
        topic: 't',
        top: { epoch: 'e', offset: 9 },
        publications: [{ offset: 9, text: '{"type":"x"}' }],
      },
      { id: 7, history: { publications: [{ data: { type: 'x' }, offset: 9 }], offset: 9, epoch: 'e' } },
    ],
    [
      'a history has its epoch, whatever a store calls it',
      { kind: 'history', id: id('history'), topic: 't', top: { epoch: '"\\\n', offset: 9 }, publications: [] },
      { id: 7, history: { publications: [], offset: 9, epoch: '"\\\n' } },
    ],
    ['its end is confirmed', { kind: 'unsubscribed', id: id('unsubscribe'), topic: 't' }, { id: 7, unsubscribe: {} }],
    [
      'its end by the server is pushed',
      { kind: 'unsubscribed', topic: 't', reason: 'r' },
      { push: { channel: 't', unsubscribe: { code: 2000, reason: 'r' } } },
    ],
    [
      'its end by a temporary failure is pushed',
      { kind: 'unsubscribed', topic: 't', reason: 'r', code: 'UNAVAILABLE' },
      { push: { channel: 't', unsubscribe: { code: 2500, reason: 'r' } } },
    ],
    [
      'its end with a token is pushed',
      { kind: 'unsubscribed', topic: 't', reason: 'r', code: 'TOKEN_EXPIRED' },
      { push: { channel: 't', unsubscribe: { code: 2501, reason: 'r' } } },
    ],
    [
      'who joins is pushed',
      { kind: 'joined', topic: 't', userId: 'ann', info: { name: 'Ann' } },
      { push: { channel: 't', join: { info: { user: 'ann', client: 'ann', conn_info: { name: 'Ann' } } } } },
    ],
    [
      'who leaves is pushed',
      { kind: 'left', topic: 't', userId: 'ann' },
      { push: { channel: 't', leave: { info: { user: 'ann', client: 'ann' } } } },
    ],
    [
      'who is there is told by user',
      {
        kind: 'presence',
        id: id('presence'),
        presence: { topic: 't', users: [ANN], userCount: 1, connectionCount: 2 },
      },
      { id: 7, presence: { presence: { ann: { user: 'ann', client: 'ann', conn_info: 'A' } } } },
    ],
    [
      'how many are there is told of users and of connections',
      {
        kind: 'presence',
        id: id('presence_stats'),
        presence: { topic: 't', users: [ANN], userCount: 1, connectionCount: 2 },
      },
      { id: 7, presence_stats: { num_clients: 2, num_users: 1 } },
    ],
    ['a call is answered', { kind: 'reply', id: id('rpc'), payload: null }, { id: 7, rpc: { data: null } }],
    ['a call is answered with nothing', { kind: 'reply', id: id('rpc'), payload: undefined }, { id: 7, rpc: {} }],
    ['a publication is confirmed', { kind: 'reply', id: id('publish'), payload: 1 }, { id: 7, publish: {} }],
    [
      'an item of a stream is a message',
      { kind: 'reply', id: 'stream:7', payload: { n: 1 } },
      { push: { message: { data: { type: 'realtime:reply', id: 7, payload: { n: 1 }, timestamp: NOW } } } },
    ],
    [
      'the end of a stream is a message',
      { kind: 'complete', id: 'stream:7' },
      { push: { message: { data: { type: 'realtime:complete', id: 7, timestamp: NOW } } } },
    ],
    [
      'the error of a stream is a message',
      { kind: 'error', id: 'stream:7', error: { code: 'FORBIDDEN', message: 'm', httpStatus: 403, details: [1] } },
      {
        push: {
          message: {
            data: {
              type: 'realtime:error',
              id: 7,
              payload: { code: 'FORBIDDEN', retryable: false, message: 'm', details: [1] },
              timestamp: NOW,
            },
          },
        },
      },
    ],
    ['a call that gave nothing is answered', { kind: 'complete', id: id('rpc') }, { id: 7, rpc: {} }],
    ['a ping is empty', { kind: 'ping' }, {}],
    [
      'an error answers a command',
      { kind: 'error', id: id('rpc'), error: { code: 'FORBIDDEN', message: 'm', details: { secret: 1 } } },
      { id: 7, error: { code: 103, message: 'm' } },
    ],
    [
      'what cannot be the name of a topic can be unsubscribed from',
      { kind: 'error', id: id('unsubscribe'), error: { code: 'VALIDATION_FAILED', message: 'm' } },
      { id: 7, unsubscribe: {} },
    ],
    [
      'what was not carried out is not said to be: an unsubscribe too',
      { kind: 'error', id: id('unsubscribe'), error: { code: 'RATE_LIMITED', message: 'm' } },
      { id: 7, error: { code: 111, message: 'm', temporary: true } },
    ],
    ['an error answers nothing else', { kind: 'error', error: { code: 'FORBIDDEN', message: 'm' } }, undefined],
    [
      'who may not connect is told by the close',
      { kind: 'error', id: id('connect'), error: { code: 'UNAUTHENTICATED', message: 'm' } },
      undefined,
    ],
    [
      'who has an expired token is told to get another one',
      { kind: 'error', id: id('connect'), error: { code: 'TOKEN_EXPIRED', message: 'm' } },
      { id: 7, error: { code: 109, message: 'm' } },
    ],
  ])('%s', (_what, push, expected) => {
    expect(encode(push)).toEqual(expected);
  });

  it.each([
    [3_600, 3_575],
    [100, 90],
    [10, 9],
    [1, 1],
    [0, 1],
    [-5, 1],
  ])('a token that lives for %i s is to be renewed after %i s', (life, ttl) => {
    const push = { kind: 'authenticated', id: id('refresh'), userId: 'ann', expiresAt: inSeconds(life) } as const;
    expect(encode(push)).toEqual({ id: 7, refresh: { expires: true, ttl } });
  });

  it('throws when a reply cannot be carried by JSON', () => {
    expect(() => encode({ kind: 'reply', id: id('rpc'), payload: 1n })).toThrow(TypeError);
  });
});

describe('writing a message', () => {
  const topics = fc.stringMatching(/^[A-Za-z0-9_.:/@-]{1,255}$/);
  const texts = fc.tuple(fc.string({ minLength: 1 }), fc.jsonValue()).map(([type, payload]) => {
    const text = stringifyMessage({ type, payload }, NOW);
    if (!text.ok) throw new Error('must be carried by JSON');
    return text.text;
  });

  it('carries it as the data of a publication, on one line', () => {
    fc.assert(
      fc.property(texts, topics, fc.option(fc.nat(), { nil: undefined }), (text, topic, offset) => {
        const line = codec.encodeMessage(text, topic, offset);
        const pub = { data: JSON.parse(text) as unknown, ...(offset !== undefined && { offset }) };
        expect([JSON.parse(line), line.includes('\n')]).toEqual([{ push: { channel: topic, pub } }, false]);
      }),
    );
  });

  it('carries the context of a trace as a tag of the publication', () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const pub = { data: { type: 'x' }, offset: 7, tags: { traceparent: trace } };
    expect(JSON.parse(codec.encodeMessage('{"type":"x"}', 'a', 7, trace))).toEqual({ push: { channel: 'a', pub } });
  });

  it('carries what was published to no topic as the data of a message, on one line', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const line = codec.encodeMessage(text, undefined);
        expect([JSON.parse(line), line.includes('\n')]).toEqual([
          { push: { message: { data: JSON.parse(text) as unknown } } },
          false,
        ]);
      }),
    );
  });
});
