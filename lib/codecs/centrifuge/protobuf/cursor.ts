/** Most bytes of a varint, which holds 7 bits in each. */
const MAX_VARINT_BYTES = 10;

/** A place in bytes of a client, from which numbers are read. Nothing is read beyond its end. */
export class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly end: number,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /**
   * Reads a varint as an unsigned number of 64 bits. Numbers above `Number.MAX_SAFE_INTEGER` are rounded, but never down to it.
   * @returns `undefined` if it is cut off, or longer than 64 bits
   */
  varint(): number | undefined {
    const { bytes, end } = this;
    let value = 0;
    let factor = 1;
    for (let count = 1; count <= MAX_VARINT_BYTES && this.at < end; count++) {
      const byte = bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return count === MAX_VARINT_BYTES && byte > 1 ? undefined : value;
      factor *= 0x80;
    }
    return undefined;
  }

  /** Reads a varint as a signed number of 32 bits: of a longer one the lower bits count, as Protobuf defines it. */
  int32(): number | undefined {
    const start = this.at;
    if (this.varint() === undefined) return undefined;
    let value = 0;
    for (let at = start; at < this.at && at < start + 5; at++) value |= (this.bytes[at]! & 0x7f) << (7 * (at - start));
    return value;
  }

  /** Skips so many bytes. @returns false if there are not as many */
  skip(length: number): boolean {
    if (length > this.end - this.at) return false;
    this.at += length;
    return true;
  }
}
