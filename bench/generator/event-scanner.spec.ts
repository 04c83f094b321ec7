import { describe, expect, it } from 'vitest';
import { EventScanner } from './event-scanner.js';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked';
const EVENT = `id: 1\ndata: {"ts":1000000000000000,"text":"${'x'.repeat(90)}"}\n\n`;

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** The frames found in responses that arrive in pieces of this size, all read into the same buffer. */
function seen(responses: string, size: number): string[] {
  const scanner = new EventScanner();
  const shared = Buffer.alloc(size);
  const found: string[] = [];
  const visitor = {
    message: (buffer: Buffer, start: number, end: number) =>
      void found.push(`message ${buffer.toString('latin1', start, end)}`),
    other: (opcode: number, buffer: Buffer, start: number, end: number) =>
      void found.push(`${opcode} ${buffer.toString('latin1', start, end)}`),
  };
  for (let at = 0; at < responses.length; at += size) {
    const piece = Buffer.from(responses.slice(at, at + size));
    shared.fill(0xff);
    piece.copy(shared);
    scanner.scan(shared, piece.length, visitor);
  }
  return found;
}

describe('the scanner of server-sent events', () => {
  const response = `${HEAD}\r\n\r\n${chunk('\n')}${chunk(EVENT)}${chunk(EVENT)}0\r\n\r\n`;
  const expected = [`1 ${HEAD}`, '1 \n', `message ${EVENT}`, `message ${EVENT}`];

  it.each([1, 2, 7, 64, 10_000])('finds each event of two responses that come in pieces of %i bytes', (size) => {
    expect(seen(response + response, size)).toEqual([...expected, ...expected]);
  });

  it('does not take a response for a stream that is none', () => {
    expect(() => seen('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}', 100)).toThrow('404');
  });

  it('notices when it is out of step', () => {
    expect(() => seen(`${HEAD}\r\n\r\nxyz\r\n`, 100)).toThrow('out of step');
    expect(() => seen(`${HEAD}\r\n\r\n2\r\nabcd\r\n`, 100)).toThrow('out of step');
  });
});
