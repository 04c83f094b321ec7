import { constants, deflateRawSync } from 'node:zlib';
import type { FramePayload } from '../../ports/frame.js';

/** The first byte of an unfragmented text message. */
const TEXT = 0b1000_0001;
/** The first byte of an unfragmented binary message. */
const BINARY = 0b1000_0010;
/** Marks a message as compressed, in its first byte (RFC 7692, 6). */
const COMPRESSED = 0b0100_0000;
/** Longest payload whose length fits in the second byte. */
const MAX_SHORT = 125;
/** Longest payload whose length fits in two further bytes. */
const MAX_MEDIUM = 0xffff;
/** A flushed block ends with these, and the receiver puts them back (RFC 7692, 7.2.1). */
const FLUSH_TAIL_BYTES = 4;

/**
 * One unmasked, uncompressed frame (RFC 6455, 5.2), whole in one buffer that any number of sockets may write: a text frame for
 * a string, else a binary one.
 */
export function messageFrame(payload: FramePayload): Buffer {
  if (typeof payload !== 'string') return filled(BINARY, payload);
  const length = Buffer.byteLength(payload);
  const frame = frameFor(TEXT, length);
  frame.write(payload, frame.length - length);
  return frame;
}

/**
 * The same, compressed without the context of earlier messages (`server_no_context_takeover`), so that every socket that
 * negotiated compression may write it.
 */
export function compressedFrame(payload: FramePayload): Buffer {
  const deflated = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const kind = typeof payload === 'string' ? TEXT : BINARY;
  return filled(kind | COMPRESSED, deflated.subarray(0, -FLUSH_TAIL_BYTES));
}

function filled(firstByte: number, payload: Uint8Array): Buffer {
  const frame = frameFor(firstByte, payload.length);
  frame.set(payload, frame.length - payload.length);
  return frame;
}

/** A frame whose payload is still to be filled in. */
function frameFor(firstByte: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes(length) + length);
  frame[0] = firstByte;
  if (length <= MAX_SHORT) frame[1] = length;
  else if (length <= MAX_MEDIUM) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    // A buffer is never long enough to need the upper half.
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  return frame;
}

function headerBytes(length: number): number {
  if (length <= MAX_SHORT) return 2;
  return length <= MAX_MEDIUM ? 4 : 10;
}
