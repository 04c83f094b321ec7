import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  COMMAND as PROTO_COMMAND,
  commandFrame,
  delimited,
  REPLY as PROTO_REPLY,
  repliesIn,
} from '../../../test/helpers/protobuf-lines.js';
import type { Command } from '../../core/protocol/command.js';
import { ERROR_CODES } from '../../core/protocol/error-code.js';
import { stringifyMessage } from '../../core/message/message.js';
import type { Push } from '../../core/protocol/push.js';
import type { Decoded, DecodedBatch } from '../../ports/codec.js';
import { CentrifugeCodec } from './centrifuge-codec.js';
import { CentrifugeProtobufCodec } from './centrifuge-protobuf-codec.js';
import { commandIdOf, METHODS, streamIdOf, type Method } from './method.js';

const SHAPE = { maxDepth: 32, maxKeys: 100, maxValues: 1_000 };
const codec = new CentrifugeProtobufCodec(SHAPE);
const jsonForm = new CentrifugeCodec(SHAPE);
const NOW = '2026-11-23T08:00:00.000Z';
const PING = { id: 7, ping: {} };

function decodeAll(frame: Buffer): readonly Decoded[] {
  const decoded = codec.decode(frame);
  return 'batch' in decoded ? [...decoded.batch] : [decoded];
}

const messagesOf = (all: readonly Decoded[]) => all.map((each) => !each.ok && each.error.message);

describe('reading a frame', () => {
  const text = fc.oneof(fc.constantFrom('c', '', '__proto__', '\ufffd'), fc.string({ unit: 'grapheme' }));
  const offset = fc.oneof(fc.nat(9), fc.maxSafeNat());
  const data = fc.oneof(
    fc.jsonValue(),
    fc.record({ topic: text, type: text, payload: fc.jsonValue(), stream: fc.boolean() }, { requiredKeys: [] }),
  );
  const subscription = fc.record(
    {
      channel: text,
      token: text,
      recover: fc.boolean(),
      epoch: text,
      offset,
      data,
      join_leave: fc.boolean(),
      delta: fc.constantFrom('', 'fossil', 'x'),
      tf: fc.constant({}),
      flag: fc.nat(3),
      type: fc.integer({ min: -1, max: 1 }),
    },
    { requiredKeys: [] },
  );
  const requests: Record<(typeof METHODS)[number], fc.Arbitrary<object>> = {
    connect: fc.record(
      { token: text, subs: fc.dictionary(text, subscription), headers: fc.dictionary(text, text) },
      { requiredKeys: [] },
    ),
    subscribe: subscription,
    unsubscribe: fc.record({ channel: text }, { requiredKeys: [] }),
    publish: fc.record({ channel: text, data }, { requiredKeys: [] }),
    presence: fc.record({ channel: text }, { requiredKeys: [] }),
    presence_stats: fc.record({ channel: text }, { requiredKeys: [] }),
    history: fc.record(
      {
        channel: text,
        limit: fc.integer(),
        since: fc.record({ epoch: text, offset }, { requiredKeys: [] }),
        reverse: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    ping: fc.constant({}),
    send: fc.record({ data }, { requiredKeys: [] }),
    rpc: fc.record({ data, method: text }, { requiredKeys: [] }),
    refresh: fc.record({ token: text }, { requiredKeys: [] }),
    sub_refresh: fc.record({ channel: text, token: text }, { requiredKeys: [] }),
  };
  const commands = fc
    .constantFrom(...METHODS)
    .chain((method) =>
      fc.tuple(fc.nat(0xffff_ffff), requests[method]).map(([id, request]) => ({ id, [method]: request })),
    );

  it('gives what the JSON form gives for the same command', () => {
    fc.assert(
      fc.property(commands, (command) => {
        expect(codec.decode(commandFrame(command))).toEqual(jsonForm.decode(JSON.stringify(command)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives what the JSON form gives for the same commands, each with its own size', () => {
    fc.assert(
      fc.property(fc.array(commands, { minLength: 2, maxLength: 5 }), (all) => {
        const theirs = jsonForm.decode(all.map((each) => JSON.stringify(each)).join('\n')) as DecodedBatch;
        const withoutSizes = (decoded: Iterable<Decoded>) =>
          Array.from(decoded, ({ ...each }) => ({ ...each, bytes: 0 }));
        expect(withoutSizes(decodeAll(commandFrame(...all)))).toEqual(withoutSizes(theirs.batch));
      }),
    );
  });

  it.each<[string, object, Partial<Command>]>([
    [
      'an offset of 2^53',
      { channel: 'c', recover: true, epoch: 'e', offset: '9007199254740992' },
      { recover: { epoch: '?', offset: 0 } },
    ],
    [
      'an offset of 2^64 - 1',
      { channel: 'c', recover: true, epoch: 'e', offset: '18446744073709551615' },
      { recover: { epoch: '?', offset: 0 } },
    ],
  ] as const)('recovers nothing from %s', (_what, subscribe, expected) => {
    const message = PROTO_COMMAND.fromObject({ id: 2, subscribe });
    const [decoded] = decodeAll(Buffer.from(PROTO_COMMAND.encodeDelimited(message).finish()));
    expect(decoded).toMatchObject({ ok: true, command: expected });
  });

  it('refuses to read a history from an offset of 2^53', () => {
    const history = { channel: 'c', since: { epoch: 'e', offset: '9007199254740992' } };
    const message = PROTO_COMMAND.fromObject({ id: 2, history });
    const [decoded] = decodeAll(Buffer.from(PROTO_COMMAND.encodeDelimited(message).finish()));
    expect(decoded).toMatchObject({ ok: false, id: 'history:2', error: { code: 'VALIDATION_FAILED' } });
  });

  it('takes an empty command as the answer to a ping', () => {
    expect(codec.decode(Buffer.of(0))).toEqual({ ok: true, command: { action: 'pong' } });
  });

  it('takes numbers that JSON has no place for as none', () => {
    const [decoded] = decodeAll(Buffer.from('0208ff'.replace('02', '06') + 'ffffff7f', 'hex'));
    expect(decoded).toMatchObject({
      ok: false,
      error: { message: 'the id must be a whole number of at most 32 bits' },
    });
  });

  it('skips the data of the first command, whatever it is', () => {
    const connect = { token: 't', data: Buffer.of(0xff, 0x00) };
    const frame = PROTO_COMMAND.encodeDelimited(PROTO_COMMAND.create({ id: 1, connect })).finish();
    expect(decodeAll(Buffer.from(frame))).toMatchObject([{ ok: true, command: { action: 'auth', token: 't' } }]);
  });

  it('counts the bytes of each of several commands', () => {
    const frames = [PING, { id: 8, rpc: { method: 'm', data: { topic: 'é' } } }].map((each) => commandFrame(each));
    const all = decodeAll(Buffer.concat([...frames, Buffer.of(0), frames[1]!]));
    expect(all.map((each) => each.ok && each.bytes)).toEqual([false, frames[1]!.length - 1, 1, frames[1]!.length - 1]);
  });

  it('decodes a command only when it is asked for', () => {
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parse.mockRestore());
    const call = (id: number) => ({ id, rpc: { method: 'm', data: { topic: 't' } } });
    const { batch } = codec.decode(commandFrame(call(1), call(2), call(3))) as DecodedBatch;
    for (const decoded of batch) if (decoded.ok) break;
    expect(parse).toHaveBeenCalledTimes(1);
  });

  it('holds nothing of the chunk that the rest of a frame came in', () => {
    const frame = commandFrame(PING, { id: 8, unsubscribe: { channel: 'c' } });
    const { batch } = codec.decode(frame) as DecodedBatch;
    const rest = batch[Symbol.iterator]();
    rest.next();
    frame.fill(0xff);
    expect(rest.next().value).toMatchObject({ ok: true, command: { action: 'unsubscribe', topic: 'c' } });
  });

  it.each([
    ['a command that is cut off', Buffer.of(9, 8), 'a command is longer than its frame'],
    ['a length that is cut off', Buffer.of(0x80), 'a command is longer than its frame'],
    ['a length of 2^63', Buffer.from('80808080808080808001', 'hex'), 'a command is longer than its frame'],
    ['a command that is malformed', Buffer.of(1, 0x0b), 'a command has a field of the wrong wire type'],
    ['a command without a method', Buffer.of(2, 8, 1), 'there is no such method'],
  ])('stops at the first failure that nobody can be told about: %s', (_what, bytes, message) => {
    const all = decodeAll(
      Buffer.concat([commandFrame(PING), bytes, commandFrame(PING)].slice(0, bytes[0]! > 8 ? 2 : 3)),
    );
    expect(messagesOf(all)).toEqual(['Not available here.', message]);
  });

  it('takes as many commands as a frame may hold, and no more', () => {
    const frameOf = (count: number) => Buffer.concat(Array.from({ length: count }, () => commandFrame(PING)));
    expect(decodeAll(frameOf(4_096))).toHaveLength(4_096);
    expect(messagesOf(decodeAll(frameOf(9_000)).slice(4_096))).toEqual(['a frame may hold at most 4096 commands']);
  });

  it('says of an empty frame that it is one', () => {
    expect(messagesOf(decodeAll(Buffer.of()))).toEqual(['a frame is empty']);
  });

  it.each([
    ['nested too deep', JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown],
    ['of too many entries', Array.from({ length: 101 }, () => 0)],
  ])('refuses data that is %s, and keeps the id', (_what, payload) => {
    const [decoded] = decodeAll(commandFrame({ id: 1, rpc: { method: 'm', data: payload } }));
    expect(decoded).toMatchObject({ ok: false, id: 'rpc:1', error: { code: 'LIMIT_EXCEEDED' }, blame: 'if-repeated' });
  });

  it('never throws, and gives nothing but commands and errors in their form', () => {
    const frames = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .tuple(fc.array(commands, { maxLength: 3 }), fc.uint8Array({ maxLength: 9 }), fc.nat())
        .map(([all, noise, at]) => {
          const bytes = commandFrame(...all);
          bytes.set(noise.subarray(0, bytes.length), at % Math.max(1, bytes.length - noise.length));
          return bytes;
        }),
    );
    fc.assert(
      fc.property(frames, (bytes) => {
        for (const decoded of decodeAll(Buffer.from(bytes))) {
          if (decoded.ok) expect(decoded.command.action).toMatch(/^[a-z]+$/);
          else
            expect([Object.hasOwn(ERROR_CODES, decoded.error.code), typeof decoded.error.message]).toEqual([
              true,
              'string',
            ]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

const ZEROS: readonly unknown[] = [0, '', false];
const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

/** Leaves out what proto3 does not write. */
function withoutZeros(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      if (name === 'data' || name === 'conn_info') return [[name, each as unknown]];
      return ZEROS.includes(each) || isEmptyList(each) ? [] : [[name, withoutZeros(each)]];
    }),
  );
}

describe('writing a push', () => {
  const name = fc.string({ minLength: 1 });
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const epoch = fc.stringMatching(/^[\w-]{1,20}$/);
  const position = fc.record({ epoch, offset: fc.maxSafeNat() });
  const of = (...methods: Method[]) => fc.constantFrom(...methods).map((method) => commandIdOf(method, 7));
  const answered = of('rpc', 'publish');
  const id = fc.oneof(answered, fc.constant(streamIdOf(9)));
  const date = maybe(fc.integer({ min: -9, max: 9_999 }).map((s) => new Date(Date.parse(NOW) + s * 1_000)));
  const person = { topic: name, userId: name, info: maybe(fc.jsonValue()) };
  const kind = <K extends Push['kind']>(each: K) => fc.constant(each);
  const message = fc.tuple(name, fc.jsonValue()).map(([type, payload]) => {
    const written = stringifyMessage({ type, payload }, NOW);
    return written.ok ? written.text : '{"type":"x"}';
  });
  const offset = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const publications = fc.array(fc.record({ offset, text: message }), { maxLength: 5 });
  const pushes = fc.oneof(
    fc.record({
      kind: kind('welcome'),
      answers: maybe(of('connect')),
      connectionId: name,
      userId: name,
      expiresAt: date,
      heartbeatMs: fc.nat(90_000),
      personal: maybe(
        fc.record({ topic: name, position, recovered: maybe(fc.boolean()), publications: maybe(publications) }),
      ),
    }),
    fc.record({ kind: kind('authenticated'), id: maybe(of('connect', 'refresh')), userId: name, expiresAt: date }),
    fc.record({
      kind: kind('subscribed'),
      id: maybe(of('subscribe')),
      topic: name,
      position: maybe(position),
      recovered: maybe(fc.boolean()),
      isRefused: fc.constant(false),
      byServer: fc.boolean(),
      data: maybe(fc.jsonValue()),
      expiresAt: date,
    }),
    fc.record({
      kind: kind('unsubscribed'),
      id: maybe(of('unsubscribe')),
      topic: name,
      reason: name,
      expired: fc.boolean(),
    }),
    fc.record({
      kind: kind('history'),
      id: maybe(of('history')),
      topic: name,
      top: position,
      publications,
    }),
    fc.record({ kind: fc.constantFrom('joined' as const, 'left' as const, 'updated' as const), ...person }),
    fc.record({ kind: kind('presence-reset'), topic: name }),
    fc.record({
      kind: kind('presence'),
      id: fc.constantFrom(commandIdOf('presence', 7), commandIdOf('presence_stats', 7)),
      presence: fc.record({
        topic: name,
        users: fc.array(fc.record({ userId: name, info: maybe(fc.jsonValue()), connections: fc.nat() }), {
          minLength: 1,
        }),
        userCount: fc.nat(),
        connectionCount: fc.nat(),
      }),
    }),
    fc.record({ kind: kind('reply'), id, payload: maybe(fc.jsonValue()) }),
    fc.record({ kind: kind('complete'), id }),
    fc.record({
      kind: kind('subscribed'),
      id: of('subscribe'),
      topic: name,
      position,
      recovered: fc.constant(true),
      publications,
    }),
    fc.record({ kind: kind('subscribed'), id: of('sub_refresh'), topic: name, expiresAt: date }),
    fc.record({ kind: kind('ping') }),
    fc.record({
      kind: kind('error'),
      id: maybe(fc.oneof(id, of(...METHODS))),
      error: fc.record({
        code: fc.constantFrom(...Object.keys(ERROR_CODES)),
        message: name,
        httpStatus: maybe(fc.nat(600)),
      }),
    }),
  ) as fc.Arbitrary<Push>;

  it('says what the JSON form says, in the bytes that protobufjs gives it', () => {
    fc.assert(
      fc.property(pushes, (push) => {
        const line = jsonForm.encodePush(push, NOW);
        const frame = codec.encodePush(push, NOW);
        if (line === undefined || frame === undefined) {
          expect(frame).toBe(line);
          return;
        }
        const reply = withoutZeros(JSON.parse(line)) as object;
        expect(repliesIn(frame)).toEqual([reply]);
        expect(Buffer.from(frame).toString('hex')).toBe(Buffer.from(delimited(PROTO_REPLY, reply)).toString('hex'));
      }),
      { numRuns: 1_000 },
    );
  });

  it('says of a message what the JSON form says', () => {
    fc.assert(
      fc.property(message, maybe(name), fc.nat(), (text, topic, place) => {
        const reply = withoutZeros(JSON.parse(jsonForm.encodeMessage(text, topic, place)));
        expect(repliesIn(codec.encodeMessage(text, topic, place))).toEqual([reply]);
      }),
    );
  });

  it('is one byte for a ping', () => {
    expect(codec.encodePush({ kind: 'ping' }, NOW)).toEqual(Buffer.of(0));
  });

  it('throws when a reply cannot be carried by JSON', () => {
    expect(() => codec.encodePush({ kind: 'reply', id: commandIdOf('rpc', 7), payload: 1n }, NOW)).toThrow(TypeError);
  });
});
