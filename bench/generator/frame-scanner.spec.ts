import { describe, expect, it } from 'vitest';
import { Sender } from '../servers/ws-parts.js';
import { FrameScanner } from './frame-scanner.js';

/** A frame as a server writes it. */
function frame(payload: string, opcode = 1): Buffer {
  const options = { fin: true, opcode, mask: false, rsv1: false, readOnly: true };
  return Buffer.concat(Sender.frame(Buffer.from(payload), options));
}

/** The frames found in a stream that arrives in pieces, all read into the same buffer. */
function seen(pieces: readonly Buffer[]): string[] {
  const scanner = new FrameScanner();
  const shared = Buffer.alloc(Math.max(...pieces.map(({ length }) => length)));
  const texts: string[] = [];
  const visitor = {
    message: (buffer: Buffer, start: number, end: number) =>
      void texts.push(`message ${buffer.toString('latin1', start, end)}`),
    other: (opcode: number, buffer: Buffer, start: number, end: number) =>
      void texts.push(`${opcode} ${buffer.toString('latin1', start, end)}`),
  };
  for (const piece of pieces) {
    shared.fill(0xff);
    piece.copy(shared);
    scanner.scan(shared, piece.length, visitor);
  }
  return texts;
}

function inPiecesOf(size: number, stream: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(stream.length / size) }, (_, n) => stream.subarray(n * size, (n + 1) * size));
}

/** One of each: lengths in 7, 16 and 64 bits, and what is no message. */
const PAYLOADS = ['a'.repeat(100), 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_535), 'e'.repeat(70_000)];
const STREAM = Buffer.concat([
  frame('2'),
  ...PAYLOADS.map((text) => frame(text)),
  frame('', 9),
  frame('f'.repeat(200)),
]);
const EVERYTHING = ['1 2', ...PAYLOADS.map((text) => `message ${text}`), '9 ', `message ${'f'.repeat(200)}`];

describe('the frame scanner', () => {
  it('counts frames of every length as messages, and short ones as others', () => {
    expect(seen([STREAM])).toEqual(EVERYTHING);
  });

  it.each([1, 2, 3, 7, 99, 1_000, 65_536])('sees the same when every read brings %i bytes', (size) => {
    const stream = size === 1 ? STREAM.subarray(0, 700) : STREAM;
    const expected = size === 1 ? EVERYTHING.slice(0, 4) : EVERYTHING;
    expect(seen(inPiecesOf(size, stream))).toEqual(expected);
  });

  it.each(Array.from({ length: 12 }, (_, at) => at + 1))(
    'takes a header of 64 bits that is cut behind byte %i',
    (at) => {
      const stream = frame(PAYLOADS[4]!);
      expect(seen([stream.subarray(0, at), stream.subarray(at)])).toEqual([`message ${PAYLOADS[4]}`]);
    },
  );

  it('takes a long control frame for no message', () => {
    expect(seen([frame('g'.repeat(125), 10)])).toEqual([`10 ${'g'.repeat(125)}`]);
  });

  it('stops at a frame that no server may write', () => {
    expect(() => seen([Buffer.from([0x81, 0x80, 1, 2, 3, 4])])).toThrow('masked');
  });
});
