import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { delimited, COMMAND as PROTO_COMMAND } from '../../../../test/helpers/protobuf-lines.js';
import { Malformed, readMessage } from './message-reader.js';
import { COMMAND } from './schema.js';

const MAX_ENTRIES = 5;

const bytesOf = (command: object) => Buffer.from(PROTO_COMMAND.encode(PROTO_COMMAND.create(command)).finish());
const read = (bytes: Uint8Array) => readMessage(Buffer.from(bytes), 0, bytes.length, COMMAND, { entries: MAX_ENTRIES });
const hex = (text: string) => read(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const reasonOf = (text: string) => {
  const fields = hex(text);
  return fields instanceof Malformed ? fields.reason : fields;
};

describe('a message', () => {
  it('has the fields that it was written with', () => {
    const rpc = { data: Buffer.from('{"topic":"t"}'), method: 'm' };
    expect(read(bytesOf({ id: 7, rpc }))).toEqual({ id: 7, rpc: { data: { topic: 't' }, method: 'm' } });
  });

  it('has its maps', () => {
    const connect = { headers: { a: '1', b: '' }, subs: { t: { recover: true, offset: 3 } } };
    expect(read(bytesOf({ id: 1, connect }))).toEqual({ id: 1, connect });
  });

  it('has no field of an empty message but the message', () => {
    expect(hex('22 00')).toEqual({ connect: {} });
  });

  it.each([
    ['a number', 'a0 06 07'],
    ['eight bytes', 'a1 06 0102030405060708'],
    ['text', 'a2 06 02 6162'],
    ['four bytes', 'a5 06 01020304'],
  ])('is read without a field that is not known: %s', (_what, field) => {
    expect(hex(`08 07 ${field} 5a 00`)).toEqual({ id: 7, ping: {} });
  });

  it('has the last value of a field that occurs several times', () => {
    expect(hex('08 01 08 02 32 03 0a0161 32 03 0a0162')).toEqual({ id: 2, unsubscribe: { channel: 'b' } });
  });

  it('has no data where the data is empty', () => {
    expect(hex('62 02 0a00')).toEqual({ send: { data: undefined } });
  });

  it('gives a key named __proto__ no power', () => {
    const headers = Object.fromEntries([['__proto__', 'x']]);
    const fields = read(bytesOf({ connect: { headers } })) as { connect: { headers: object } };
    expect(Object.keys(fields.connect.headers)).toEqual(['__proto__']);
  });

  it.each([
    ['is cut off in a tag', '80', /cut off/],
    ['is cut off in a number', '08 80', /cut off/],
    ['is cut off in a text', '32 05 0a', /cut off/],
    ['has a length beyond its own end', '32 02 0a05', /cut off/],
    ['has a length of 2^63', '32 80808080808080808001', /cut off/],
    ['has a number of 65 bits', '08 ffffffffffffffffff02', /cut off/],
    ['has an unknown number that is cut off', 'a006 80', /cut off/],
    ['has eight bytes that are cut off', 'a106 01020304', /cut off/],
    ['has a group', '0b 0c', /wrong wire type/],
    ['has an unknown group', 'a306 a406', /wire type that does not exist/],
    ['has an unknown wire type', 'a606', /wire type that does not exist/],
    ['has a field number of more than 29 bits', '8080808010', /wire type that does not exist/],
    ['has a number for a text', '30 01', /wrong wire type/],
    ['has a text for a number', '0a 01 61', /wrong wire type/],
    ['has a string that is not UTF-8', '32 03 0a01ff', /not UTF-8/],
    ['has data that is not UTF-8', '62 05 0a 03 22ff22', /not UTF-8/],
    ['has data that is not JSON', '62 03 0a017b', /not JSON/],
    ['has more entries in a map than there may be', `22 0c ${'3200'.repeat(6)}`, /too many entries/],
  ])('is refused with a reason when it %s', (_what, bytes, reason) => {
    expect(reasonOf(bytes)).toMatch(reason);
  });

  it('may have a character in its text that stands for what is no character', () => {
    expect(read(bytesOf({ unsubscribe: { channel: '\ufffd' } }))).toEqual({ unsubscribe: { channel: '\ufffd' } });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void read(bytes)),
      { numRuns: 2_000 },
    );
  });

  it('never throws when bytes of it are other ones', () => {
    const { Reader } = protobuf;
    const whole = delimited(PROTO_COMMAND, {
      id: 7,
      connect: { token: 't', headers: { a: 'b' }, subs: { c: { recover: true, offset: 9, epoch: 'e' } } },
      history: { channel: 'c', limit: -1, since: { epoch: 'e', offset: 2 ** 40 }, reverse: true },
    });
    const good = whole.subarray(Reader.create(whole).uint32() > 127 ? 2 : 1);
    const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, fc.nat(good.length), (all, length) => {
        const bytes = Uint8Array.from(good);
        for (const [at, byte] of all) bytes[at] = byte;
        read(bytes.subarray(0, length));
      }),
      { numRuns: 2_000 },
    );
  });
});
