import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Push } from '../../core/protocol/push.js';
import { stringifyMessage } from '../../core/message/message.js';
import { JsonCodec } from './json-codec.js';
import { arbitraryText } from '../../../test/helpers/arbitrary-text.js';

const codec = new JsonCodec({ maxDepth: 4, maxKeys: 5, maxValues: 50 });
const NOW = '2026-01-31T12:00:00.000Z';

const decode = (value: unknown) => codec.decode(typeof value === 'string' ? value : JSON.stringify(value));
const encode = (push: Push): unknown => JSON.parse(codec.encodePush(push, NOW));
const refusal = (value: unknown) => {
  const decoded = decode(value);
  return decoded.ok ? undefined : decoded.error;
};

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the context of a trace', () => {
  const read = (trace: unknown) => codec.decode(JSON.stringify({ action: 'presence', id: 1, topic: 'a', trace }));
  const command = { action: 'presence', id: 1, topic: 'a' };

  it('comes with any command', () => {
    expect(read(TRACE)).toEqual({ ok: true, command: { ...command, trace: TRACE } });
  });

  it.each([undefined, null, 7, {}, [], '', 'x'.repeat(55), TRACE.toUpperCase()])('is ignored if it is %j', (trace) => {
    expect(read(trace)).toEqual({ ok: true, command });
  });
});

describe('reading a frame', () => {
  it.each([
    { action: 'ping' },
    { action: 'ping', id: 1 },
    { action: 'cancel', id: 'a' },
    { action: 'auth', token: 't' },
    { action: 'unsubscribe', id: 1, topic: 't' },
    { action: 'subscribe', id: 1, topic: 't', payload: { a: 1 } },
    { action: 'subscribe', topic: 't', presence: true },
    { action: 'subscribe', topic: 't', recover: { epoch: '', offset: 0 } },
    { action: 'subscribe', topic: 't', last: 5 },
    { action: 'presence', id: 1, topic: 't' },
    { action: 'message', id: 1, topic: 't', type: 'x', payload: null },
    { action: 'message', topic: 't', type: 'x' },
  ])('gives the command: %j', (command) => {
    expect(decode(command)).toEqual({ ok: true, command });
  });

  it.each([
    [
      { id: 1, stream: true },
      { id: 1, stream: { id: 1 } },
    ],
    [{ id: 1, stream: false }, { id: 1 }],
    [{ stream: true }, {}],
  ])('takes a wish for a stream, which needs an id: %j', (asked, given) => {
    const message = { action: 'message', topic: 't', type: 'x' };
    expect(decode({ ...message, ...asked })).toEqual({ ok: true, command: { ...message, ...given } });
  });

  it.each(['true', 1, null, {}])('refuses a wish for a stream that is no boolean: %j', (stream) => {
    expect(refusal({ action: 'message', topic: 't', type: 'x', stream })).toEqual({
      code: 'INVALID_MESSAGE',
      message: 'stream must be true or false.',
      action: 'message',
    });
  });

  it('leaves out fields that the action does not have', () => {
    expect(decode({ action: 'ping', topic: 't', token: 'secret' })).toEqual({ ok: true, command: { action: 'ping' } });
  });

  it('gives a payload under __proto__ no power', () => {
    const decoded = codec.decode('{"action":"message","topic":"t","type":"x","__proto__":{"payload":1}}');
    expect(decoded).toEqual({ ok: true, command: { action: 'message', topic: 't', type: 'x' } });
  });

  it('says of an unknown action which ones there are', () => {
    expect(refusal({ action: 'dance' })).toEqual({
      code: 'UNKNOWN_ACTION',
      message:
        'There is no such action; the actions are subscribe, unsubscribe, message, history, cancel, presence, auth, ping.',
    });
  });

  it('says which field is missing, and of which action', () => {
    expect(refusal({ action: 'message', topic: 't' })).toEqual({
      code: 'INVALID_MESSAGE',
      message: 'type must be a non-empty string.',
      action: 'message',
    });
  });

  it.each(['true', 1, null, {}])('refuses a wish to be told of presence that is no boolean: %j', (presence) => {
    expect(refusal({ action: 'subscribe', topic: 't', presence })).toEqual({
      code: 'INVALID_MESSAGE',
      message: 'presence must be true or false.',
      action: 'subscribe',
    });
  });

  it.each([-1, 1.5, '3', null])('refuses a number of last publications that is none: %j', (last) => {
    expect(refusal({ action: 'subscribe', topic: 't', last })).toMatchObject({
      message: 'last must be a whole number, 0 or more.',
    });
  });

  it('keeps the id of a command that is refused', () => {
    expect(decode({ action: 'message', id: 7 })).toMatchObject({ ok: false, id: 7 });
  });

  it('keeps no id that is none', () => {
    expect(decode({ action: 'ping', id: 1.5 })).not.toHaveProperty('id');
  });

  it('quotes nothing of a frame that is refused', () => {
    for (const frame of ['hunter2', '{"action":"hunter2"}', '{"action":"auth","token":["hunter2"]}']) {
      expect(refusal(frame)!.message).not.toContain('hunter2');
    }
  });

  it.each([
    ['deep', { action: 'ping', x: [[[[]]]] }],
    ['wide', { action: 'ping', x: [1, 2, 3, 4, 5, 6] }],
  ])('refuses what is too %s, and keeps its id', (_what, value) => {
    expect(decode({ ...value, id: 1 })).toMatchObject({ ok: false, id: 1, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('never throws', () => {
    fc.assert(fc.property(arbitraryText, (text) => void codec.decode(text)));
  });

  it('never throws for JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => void codec.decode(text)));
  });
});

describe('writing a push', () => {
  it('puts everything but the id into the payload', () => {
    expect(encode({ kind: 'unsubscribed', id: 1, topic: 't', reason: 'r' })).toEqual({
      type: 'realtime:unsubscribed',
      id: 1,
      payload: { topic: 't', reason: 'r' },
      timestamp: NOW,
    });
  });

  it('says of a subscription that ended because of a temporary failure that it may be tried again', () => {
    expect(encode({ kind: 'unsubscribed', topic: 't', reason: 'r', code: 'UNAVAILABLE' })).toMatchObject({
      payload: { topic: 't', reason: 'r', retryable: true },
    });
  });

  it('writes the epoch of a history, whatever a store calls it', () => {
    const top = { epoch: '"\\\n', offset: 9 };
    expect(encode({ kind: 'history', id: 1, topic: 't', top, publications: [] })).toMatchObject({ payload: top });
  });

  it('leaves the payload out when there is nothing to say', () => {
    expect(encode({ kind: 'pong', id: 1 })).toEqual({ type: 'realtime:pong', id: 1, timestamp: NOW });
  });

  it('leaves the id out when there is none', () => {
    expect(encode({ kind: 'ping' })).toEqual({ type: 'realtime:ping', timestamp: NOW });
  });

  it('writes dates as ISO 8601', () => {
    expect(encode({ kind: 'expiring', expiresAt: new Date(0) })).toMatchObject({
      payload: { expiresAt: '1970-01-01T00:00:00.000Z' },
    });
  });

  it.each([null, 0, false, '', [], {}, { kind: 'error', id: 2 }])('carries a reply as it is: %j', (payload) => {
    expect(encode({ kind: 'reply', id: 1, payload })).toEqual({
      type: 'realtime:reply',
      id: 1,
      payload,
      timestamp: NOW,
    });
  });

  it('tells of a user who joined, and what the application shows of the user', () => {
    expect(encode({ kind: 'joined', topic: 't', userId: 'ann', info: { name: 'Ann' } })).toEqual({
      type: 'realtime:joined',
      payload: { topic: 't', userId: 'ann', info: { name: 'Ann' } },
      timestamp: NOW,
    });
  });

  it('tells who is there, and how many', () => {
    const presence = {
      topic: 't',
      users: [{ userId: 'ann', info: 'A', connections: 2 }],
      userCount: 7,
      connectionCount: 9,
    };
    expect(encode({ kind: 'presence', id: 1, presence })).toEqual({
      type: 'realtime:presence',
      id: 1,
      payload: presence,
      timestamp: NOW,
    });
  });

  it('says of an error whether trying again may help', () => {
    expect(encode({ kind: 'error', id: 1, error: { code: 'UNAVAILABLE', message: 'm', retryAfterMs: 5 } })).toEqual({
      type: 'realtime:error',
      id: 1,
      payload: { code: 'UNAVAILABLE', message: 'm', retryable: true, retryAfterMs: 5 },
      timestamp: NOW,
    });
  });

  it('leaves the status of an exception to its details', () => {
    const error = { code: 'FORBIDDEN', message: 'm', httpStatus: 403, details: { statusCode: 403 } } as const;
    const payload = { code: 'FORBIDDEN', message: 'm', retryable: false, details: { statusCode: 403 } };
    expect(encode({ kind: 'error', id: 1, error })).toMatchObject({
      payload: expect.not.objectContaining({ httpStatus: 403 }),
    });
    expect(encode({ kind: 'error', id: 1, error })).toMatchObject({ payload });
  });

  it('throws when a reply cannot be carried by JSON', () => {
    expect(() => encode({ kind: 'reply', id: 1, payload: 1n })).toThrow(TypeError);
  });
});

describe('writing a message', () => {
  const topics = fc.stringMatching(/^[A-Za-z0-9_.:/@-]{1,255}$/);

  it('adds the topic and changes nothing else', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.jsonValue(), topics, (type, payload, topic) => {
        const text = stringifyMessage({ type, payload }, NOW);
        if (!text.ok) throw new Error('must be carried by JSON');
        const before = JSON.parse(text.text) as object;
        expect(JSON.parse(codec.encodeMessage(text.text, topic))).toEqual({ ...before, topic });
      }),
    );
  });

  it.each([
    ['a topic', 'chat:1', undefined, { topic: 'chat:1' }],
    ['a topic with a history', 'chat:1', 7, { topic: 'chat:1', offset: 7 }],
    ['no topic', undefined, undefined, {}],
  ])('adds the context of a trace to a message to %s', (_what, topic, offset, fields) => {
    const frame = codec.encodeMessage('{"type":"x"}', topic, offset, TRACE);
    expect(JSON.parse(frame)).toEqual({ type: 'x', ...fields, trace: TRACE });
  });

  it('passes on what was published to no topic as it is', () => {
    expect(codec.encodeMessage('{"type":"x"}', undefined)).toBe('{"type":"x"}');
  });
});
