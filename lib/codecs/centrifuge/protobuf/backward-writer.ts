/** Enough for most answers. */
const INITIAL_BYTES = 512;

/**
 * Writes from the end to the start, so that the length of what was written can be put before it without being calculated first.
 */
export class BackwardWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #start = INITIAL_BYTES;

  /** The number of bytes written so far. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  /** What was written. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start);
  }

  /** Puts a varint before what was written; a whole number from 0 to `Number.MAX_SAFE_INTEGER`. */
  varint(value: number): void {
    this.#reserve(varintBytes(value));
    writeVarint(this.#buffer, this.#start, value);
  }

  /** Puts UTF-8 text before what was written, with its length before it. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#buffer.write(value, this.#start);
    this.varint(length);
  }

  #reserve(length: number): void {
    if (length > this.#start) {
      const written = this.bytes;
      const size = Math.max(2 * this.#buffer.length, written.length + length);
      this.#buffer = Buffer.allocUnsafe(size);
      this.#start = size - written.length;
      this.#buffer.set(written, this.#start);
    }
    this.#start -= length;
  }
}

/** Returns how many bytes a varint takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest /= 0x80) bytes += 1;
  return bytes;
}

/** Writes a varint at an offset. @returns the offset behind it */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[next++] = (rest % 0x80) | 0x80;
  buffer[next++] = rest;
  return next;
}
