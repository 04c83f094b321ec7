import { ownBytes } from '../../core/base/own-bytes.js';
import type { Decoded } from '../../core/protocol/decoded.js';
import { bufferBytes, textHeapBytes } from '../../core/protocol/heap-estimate.js';
import type { FramePayload } from '../../ports/frame.js';

/** A frame of several commands that was begun. */
export interface BegunFrame {
  /** The commands that are left. They hold the text or the bytes of the frame. */
  readonly commands: Iterator<Decoded>;
  /** The estimated memory of the commands that are left, in bytes. */
  readonly bytes: number;
}

/** A frame that waits, in most cases to be decoded. */
export interface WholeFrame {
  readonly commands?: undefined;
  /** `undefined` for a frame of the kind, text or binary, that the codec does not decode. */
  readonly payload: FramePayload | undefined;
  /** The command of the frame, if it was decoded before it had to wait. */
  readonly decoded?: Decoded | undefined;
  /** The estimated memory of the frame, in bytes. */
  readonly bytes: number;
}

/** Memory of a waiting frame beside its payload, in bytes. */
const FRAME_BYTES = 80;
/** Memory of an iterator over the commands of a frame, in bytes. */
const ITERATOR_BYTES = 700;

/**
 * Begins a frame of several commands.
 * @param payload the frame, which the commands hold in any case
 */
export function begun(payload: FramePayload | undefined, commands: Iterator<Decoded>): BegunFrame {
  return { commands, bytes: bytesOf(payload) + ITERATOR_BYTES };
}

/**
 * Frames of one client that arrived in one piece with the frame at which reading was paused. They wait undecoded, because parsed
 * they may take 20 times the memory, unless they were decoded already and take little.
 */
export class DeferredFrames {
  readonly #frames: (WholeFrame | BegunFrame)[] = [];
  #bytes = 0;

  /** The estimated memory of the frames, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a frame behind the others. Bytes are copied: their memory is that of all that was read from the socket at once.
   * @param decoded its command, if it was decoded and takes hardly more memory than the frame
   */
  push(payload: FramePayload | undefined, decoded?: Decoded): void {
    const bytes = bytesOf(payload) * (decoded ? 2 : 1);
    const frame = { payload: typeof payload === 'object' ? ownBytes(payload) : payload, decoded, bytes };
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
  }

  /** Puts a frame that was begun back before the others. */
  putBack(frame: BegunFrame): void {
    this.#frames.unshift(frame);
    this.#bytes += frame.bytes;
  }

  /** Removes and returns the oldest frame. */
  shift(): WholeFrame | BegunFrame | undefined {
    const frame = this.#frames.shift();
    if (frame) this.#bytes -= frame.bytes;
    return frame;
  }
}

function bytesOf(payload: FramePayload = ''): number {
  return FRAME_BYTES + (typeof payload === 'string' ? textHeapBytes(payload.length) : bufferBytes(payload.length));
}
