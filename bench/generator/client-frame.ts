/** The number that stands in for `{ts}` until a frame is stamped: as many digits as every time has. */
const NO_TIME = '1000000000000000';
const BASE_MICROS = Number(NO_TIME);

/** The time now, in microseconds of this process, in 16 digits; a `number` holds it exactly. */
export function stamp(nowMs: number): number {
  return BASE_MICROS + Math.floor(nowMs * 1_000);
}

/** How long ago a stamp was made, in microseconds. */
export function age(stamped: number, nowMs: number): number {
  return BASE_MICROS + nowMs * 1_000 - stamped;
}

/** A frame as a client has to send it: text, or bytes. The mask is zero, which is one like any other and leaves the text readable. */
export function clientFrame(said: string | Uint8Array, opcode = typeof said === 'string' ? 0x1 : 0x2): Buffer {
  const payload = Buffer.from(said as string);
  const isShort = payload.length < 126;
  if (payload.length > 0xffff) throw new Error('The generator has nothing to say that is this long.');
  const head = Buffer.alloc(isShort ? 6 : 8);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (isShort ? payload.length : 126);
  if (!isShort) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** A frame that is sent again and again, each time with the time in it. */
export class StampedFrame {
  readonly #frame: Buffer;
  readonly #at: number;

  /** @param text has `{ts}` in it */
  constructor(text: string) {
    this.#frame = clientFrame(text.replace('{ts}', NO_TIME));
    this.#at = this.#frame.indexOf(NO_TIME);
  }

  /** Returns the same buffer each time: the previous write must have ended. */
  at(nowMs: number): Buffer {
    this.#frame.write(String(stamp(nowMs)), this.#at, 'latin1');
    return this.#frame;
  }
}

const MARK = Buffer.from('"ts":');
const [QUOTE, LETTER_T, LETTER_S, COLON] = [0x22, 0x74, 0x73, 0x3a];

/**
 * Finds the stamps of a frame in which items may have been joined.
 * @param each takes each stamp
 * @returns how many there are
 */
export function eachStamp(buffer: Buffer, start: number, end: number, each: (stamped: number) => void): number {
  let count = 0;
  for (let at = start; at < end - MARK.length; at++) {
    if (buffer[at] !== QUOTE || buffer[at + 1] !== LETTER_T || buffer[at + 2] !== LETTER_S) continue;
    if (buffer[at + 3] !== QUOTE || buffer[at + 4] !== COLON) continue;
    count += 1;
    each(numberAt(buffer, at + MARK.length, end));
  }
  return count;
}

/** Finds stamps in messages; they mostly stand in the same place. */
export class StampReader {
  #offset = 0;

  /** @returns the stamp; `undefined` when there is none */
  read(buffer: Buffer, start: number, end: number): number | undefined {
    let at = start + this.#offset;
    if (buffer.compare(MARK, 0, MARK.length, at, Math.min(at + MARK.length, end)) !== 0) {
      at = buffer.indexOf(MARK, start);
      if (at < 0 || at >= end) return undefined;
      this.#offset = at - start;
    }
    return numberAt(buffer, at + MARK.length, end);
  }
}

function numberAt(buffer: Buffer, start: number, end: number): number {
  let value = 0;
  for (let digit = start; digit < end && buffer[digit]! >= 48 && buffer[digit]! <= 57; digit++) {
    value = value * 10 + buffer[digit]! - 48;
  }
  return value;
}
