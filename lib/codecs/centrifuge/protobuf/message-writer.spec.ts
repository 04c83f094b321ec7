import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { REPLY as PROTO_REPLY, repliesIn } from '../../../../test/helpers/protobuf-lines.js';
import { BackwardWriter, varintBytes, writeVarint } from './backward-writer.js';
import { encodeDelimited, JsonText } from './message-writer.js';
import { encodeDirectMessage, encodePublication } from './message-push.js';
import { REPLY } from './schema.js';

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What protobufjs makes of a reply whose `data` is bytes already. */
const theirs = (reply: object) => hexOf(PROTO_REPLY.encodeDelimited(PROTO_REPLY.create(reply)).finish());

describe('a number', () => {
  it('is written as protobufjs writes it, forwards and backwards', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const expected = hexOf(protobuf.Writer.create().uint64(value).finish());
        const forwards = new Uint8Array(varintBytes(value));
        const backwards = new BackwardWriter();
        backwards.varint(value);
        expect([writeVarint(forwards, 0, value), hexOf(forwards), hexOf(backwards.bytes)]).toEqual([
          forwards.length,
          expected,
          expected,
        ]);
      }),
    );
  });
});

describe('a reply', () => {
  it.each([
    ['nothing', {}, '00'],
    ['zero values', { id: 0, error: { code: 0, message: '', temporary: false } }, '02 1200'],
    ['an empty message', { id: 7, subscribe: {} }, '04 08073200'],
    ['values that are undefined', { id: 7, rpc: { data: undefined } }, '04 08076a00'],
    ['data that JSON has no text for', { id: 7, rpc: { data: () => 1 } }, '04 08076a00'],
    ['a text with a lone surrogate', { id: 7, error: { code: 1, message: '\ud800' } }, '0b 08071207 08011203efbfbd'],
    ['data as it is', { id: 7, rpc: { data: new JsonText('[ 1 ]') } }, '0b 08076a070a055b2031205d'],
  ])('of %s has these bytes: %j', (_what, reply, bytes) => {
    expect(hexOf(encodeDelimited(REPLY, reply))).toBe(bytes.replaceAll(' ', ''));
  });

  it.each([100, 510, 600, 5_000, 100_000])('may be long: %i characters', (length) => {
    const data = 'ü'.repeat(length);
    expect(repliesIn(encodeDelimited(REPLY, { id: 1, rpc: { data } }))).toEqual([{ id: 1, rpc: { data } }]);
  });

  it('has the bytes that protobufjs gives it', () => {
    const reply = {
      id: 300,
      connect: {
        client: 'n.c',
        expires: true,
        ttl: 3_575,
        subs: { '#user:ann': { recoverable: true, epoch: 'e', offset: 2 ** 40, positioned: true } },
        ping: 25,
        pong: true,
      },
    };
    expect(hexOf(encodeDelimited(REPLY, reply))).toBe(theirs(reply));
  });
});

describe('the push of a message', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.integer({ min: 1, max: 20_000 }).map((length) => 'x'.repeat(length)),
  );
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('has the bytes that protobufjs gives it', () => {
    fc.assert(
      fc.property(
        texts,
        fc.string({ minLength: 1 }),
        fc.maxSafeNat(),
        fc.boolean(),
        (text, channel, offset, isTraced) => {
          const data = Buffer.from(text);
          const tags = isTraced ? { tags: { traceparent: trace } } : {};
          const pub = { data, ...(offset > 0 && { offset }), ...tags };
          expect(hexOf(encodePublication(text, channel, offset, isTraced ? trace : undefined))).toBe(
            theirs({ push: { channel, pub } }),
          );
          expect(hexOf(encodeDirectMessage(text))).toBe(theirs({ push: { message: { data } } }));
        },
      ),
    );
  });
});
