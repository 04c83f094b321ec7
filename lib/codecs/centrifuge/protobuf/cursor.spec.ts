import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { Cursor } from './cursor.js';

const over = (...bytes: number[]) => new Cursor(Uint8Array.from(bytes), 0, bytes.length);
const NINES = Array.from({ length: 9 }, () => 0xff);

describe('a varint', () => {
  it('is read as protobufjs writes it, up to the largest safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = protobuf.Writer.create().uint64(value).finish();
        const cursor = new Cursor(bytes, 0, bytes.length);
        expect([cursor.varint(), cursor.isAtEnd]).toEqual([value, true]);
      }),
    );
  });

  it.each([
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['2^53 + 1', [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['2^64 - 1', [...NINES, 0x01]],
  ])('of %s is no safe integer', (_what, bytes) => {
    expect(over(...bytes).varint()).toSatisfy((value: number) => value > Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ['nothing', []],
    ['a number that is cut off', [0x80]],
    ['65 bits', [...NINES, 0x02]],
    ['more than ten bytes', [...NINES, 0x80, 0x00]],
  ])('is not read from %s', (_what, bytes) => {
    expect(over(...bytes).varint()).toBeUndefined();
  });

  it('is not read beyond the end', () => {
    expect(new Cursor(Uint8Array.of(0x80, 0x01), 0, 1).varint()).toBeUndefined();
  });
});

describe('a signed number', () => {
  it('is read as protobufjs writes it', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const bytes = protobuf.Writer.create().int32(value).finish();
        const cursor = new Cursor(bytes, 0, bytes.length);
        expect([cursor.int32(), cursor.isAtEnd]).toEqual([value, true]);
      }),
    );
  });

  it('is not read from a number that is cut off', () => {
    expect(over(0xff).int32()).toBeUndefined();
  });
});
