import { MIN_MESSAGE_BYTES, type FrameVisitor } from './frame-scanner.js';

const [CR, LF] = [13, 10];

/** What a response head is passed on as. */
const TEXT = 0x1;

/**
 * Walks over the responses of one HTTP/1.1 server, RFC 9112 section 7.1, by the sizes of their chunks alone, as `FrameScanner` walks
 * over frames. Nest writes each server-sent event as a chunk of its own; heads of responses are passed on as other frames.
 */
export class EventScanner {
  #rest: Buffer | undefined;
  #isHead = true;

  /** Takes what a read brought: the first `length` bytes of a buffer, which may be used again afterwards. */
  scan(buffer: Buffer, length: number, visitor: FrameVisitor): void {
    if (this.#rest === undefined) {
      const done = this.#walk(buffer, length, visitor);
      if (done < length) this.#rest = Buffer.from(buffer.subarray(done, length));
      return;
    }
    const joined = Buffer.concat([this.#rest, buffer.subarray(0, length)]);
    const done = this.#walk(joined, joined.length, visitor);
    this.#rest = done < joined.length ? joined.subarray(done) : undefined;
  }

  /** @returns where the first part begins that is not there as a whole */
  #walk(buffer: Buffer, end: number, visitor: FrameVisitor): number {
    let at = 0;
    while (at < end) {
      const next = this.#isHead ? this.#head(buffer, at, end, visitor) : this.#chunk(buffer, at, end, visitor);
      if (next === undefined) break;
      at = next;
    }
    return at;
  }

  #head(buffer: Buffer, start: number, end: number, visitor: FrameVisitor): number | undefined {
    const text = buffer.toString('latin1', start, end);
    const size = text.indexOf('\r\n\r\n');
    if (size < 0) return undefined;
    if (!/\r\ntransfer-encoding: chunked(\r\n|$)/i.test(text.slice(0, size))) {
      throw new Error(`The server does not stream: ${text.slice(0, size)}`);
    }
    this.#isHead = false;
    visitor.other(TEXT, buffer, start, start + size);
    return start + size + 4;
  }

  #chunk(buffer: Buffer, start: number, end: number, visitor: FrameVisitor): number | undefined {
    let size = 0;
    let at = start;
    for (; at < end && buffer[at] !== CR; at++) size = size * 16 + hexDigit(buffer[at]!);
    const payload = at + 2;
    const next = payload + size + 2;
    if (next > end) return undefined;
    if (buffer[payload - 1] !== LF || buffer[next - 2] !== CR) throw new Error('The count of chunks is out of step.');
    // The last chunk is empty, and the next response may follow.
    if (size === 0) this.#isHead = true;
    else if (size >= MIN_MESSAGE_BYTES) visitor.message(buffer, payload, payload + size);
    else visitor.other(TEXT, buffer, payload, payload + size);
    return next;
  }
}

function hexDigit(byte: number): number {
  const digit = byte <= 57 ? byte - 48 : (byte | 32) - 87;
  if (digit < 0 || digit > 15) throw new Error('The count of chunks is out of step.');
  return digit;
}
