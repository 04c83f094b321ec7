import { bufferBytes, textHeapBytes } from '../../core/protocol/heap-estimate.js';
import type { Decoded } from '../../core/protocol/decoded.js';
import type { FramePayload } from '../../ports/frame.js';

/** A frame that waits to be decoded. */
export interface DeferredFrame {
  /** `undefined` for a frame of the kind, text or binary, that the codec does not decode. */
  readonly payload: FramePayload | undefined;
  /** The commands that are left of a frame of several commands, once it was begun. */
  readonly commands?: Iterator<Decoded>;
}

/**
 * Frames of one client that arrived in one piece with the frame at which reading was paused. They wait undecoded, because parsed
 * they may take 20 times the memory.
 */
export class DeferredFrames {
  readonly #frames: DeferredFrame[] = [];
  #bytes = 0;

  /** The estimated memory of the frames, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame behind the others. Bytes are copied: their memory is that of all that was read from the socket at once. */
  push({ payload }: DeferredFrame): void {
    const kept = { payload: typeof payload === 'object' ? copied(payload) : payload };
    this.#frames.push(kept);
    this.#bytes += bytesOf(kept);
  }

  /** Puts a frame that was begun back before the others. */
  putBack(frame: DeferredFrame): void {
    this.#frames.unshift(frame);
    this.#bytes += bytesOf(frame);
  }

  /** Removes and returns the oldest frame. */
  shift(): DeferredFrame | undefined {
    const frame = this.#frames.shift();
    if (frame) this.#bytes -= bytesOf(frame);
    return frame;
  }
}

function copied(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function bytesOf({ payload = '' }: DeferredFrame): number {
  return typeof payload === 'string' ? textHeapBytes(payload.length) : bufferBytes(payload.length);
}
