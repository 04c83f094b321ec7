/** Frames shorter than this are none of the messages that are counted: heartbeats, acknowledgements, errors. */
export const MIN_MESSAGE_BYTES = 100;

/** The receiver of the frames. All positions refer to the buffer that is being scanned. */
export interface FrameVisitor {
  /** A text or binary frame of at least {@link MIN_MESSAGE_BYTES}. */
  message(buffer: Buffer, start: number, end: number): void;
  /** Any other frame. */
  other(opcode: number, buffer: Buffer, start: number, end: number): void;
}

/**
 * Walks over the frames of one server, RFC 6455 section 5.2, by their headers alone: no text is decoded and no object
 * is made. What is left of a frame at the end of a read is kept for the next one.
 */
export class FrameScanner {
  #rest: Buffer | undefined;

  /** Takes what a read brought: the first `length` bytes of a buffer, which may be used again afterwards. */
  scan(buffer: Buffer, length: number, visitor: FrameVisitor): void {
    if (this.#rest === undefined) {
      const done = scanFrames(buffer, 0, length, visitor);
      if (done < length) this.#rest = Buffer.from(buffer.subarray(done, length));
      return;
    }
    const joined = Buffer.concat([this.#rest, buffer.subarray(0, length)]);
    const done = scanFrames(joined, 0, joined.length, visitor);
    this.#rest = done < joined.length ? joined.subarray(done) : undefined;
  }
}

/** @returns where the first frame begins that is not there as a whole */
function scanFrames(buffer: Buffer, start: number, end: number, visitor: FrameVisitor): number {
  let at = start;
  while (end - at >= 2) {
    let size = buffer[at + 1]!;
    let payload = at + 2;
    if (size >= 128) throw new Error('The server has masked a frame, or the count is out of step.');
    if (size === 126) {
      if (end - at < 4) break;
      size = buffer.readUInt16BE(at + 2);
      payload = at + 4;
    } else if (size === 127) {
      if (end - at < 10) break;
      size = buffer.readUInt32BE(at + 2) * 2 ** 32 + buffer.readUInt32BE(at + 6);
      payload = at + 10;
    }
    const next = payload + size;
    if (next > end) break;
    const opcode = buffer[at]! & 0x0f;
    if (size >= MIN_MESSAGE_BYTES && opcode <= 2) visitor.message(buffer, payload, next);
    else visitor.other(opcode, buffer, payload, next);
    at = next;
  }
  return at;
}
