import { randomBytes } from 'node:crypto';

/** The kinds of frames (RFC 6455, 11.8). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame, right or wrong. */
export interface FrameParts {
  /** Default: text. */
  readonly opcode?: number;
  readonly payload?: string | Buffer;
  /** Default true. */
  readonly fin?: boolean;
  /** The three reserved bits, from 0 to 7. Default 0. */
  readonly rsv?: number;
  /** Default true, as clients must. */
  readonly masked?: boolean;
  /** Payload length in the header; default: the actual length. */
  readonly claimedLength?: bigint;
  /** How many bits the length is written in; default: as few as will do. */
  readonly lengthBits?: 7 | 16 | 64;
}

/** The bytes of a frame of these parts. */
export function rawFrame(parts: FrameParts = {}): Buffer {
  const { opcode = OPCODE.text, fin = true, rsv = 0, masked = true } = parts;
  const payload = Buffer.from(parts.payload ?? '');
  const length = parts.claimedLength ?? BigInt(payload.length);
  const lengthBits = parts.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const maskBit = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const header = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[lengthBits], 0);
  header[0] = first;
  header[1] = maskBit | { 7: Number(length & 0x7fn), 16: 126, 64: 127 }[lengthBits];
  if (lengthBits === 16) header.writeUInt16BE(Number(length), 2);
  if (lengthBits === 64) header.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([header, mask, payload.map((byte, at) => byte ^ mask[at % 4]!)]);
}

/** A command as a text frame, of any size. */
export function commandFrame(command: unknown): Buffer {
  return rawFrame({ payload: JSON.stringify(command) });
}

/** A message in as many fragments as there are parts; with `finished: false` the last one is still to come. */
export function fragments(parts: readonly string[], { finished = true } = {}): Buffer {
  return Buffer.concat(
    parts.map((payload, at) =>
      rawFrame({
        opcode: at === 0 ? OPCODE.text : OPCODE.continuation,
        fin: finished && at === parts.length - 1,
        payload,
      }),
    ),
  );
}

/** A frame from the server. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The whole frames that stand behind the answer to an upgrade request. */
export function serverFrames(received: string): ServerFrame[] {
  const bytes = Buffer.from(received, 'latin1');
  const frames: ServerFrame[] = [];
  let at = received.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]!;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (at + head + length > bytes.length) break;
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return frames;
}
