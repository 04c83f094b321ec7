import { textHeapBytes } from '../../core/protocol/heap-estimate.js';
import type { Decoded } from '../../core/protocol/decoded.js';

/** A frame that waits to be decoded. */
export interface DeferredFrame {
  /** `undefined` for a binary frame. */
  readonly text: string | undefined;
  /** The commands that are left of a frame of several commands, once it was begun. */
  readonly commands?: Iterator<Decoded>;
}

/**
 * Frames of one client that arrived in one piece with the frame at which reading was paused. They wait as text, because parsed
 * they may take 20 times the memory.
 */
export class DeferredFrames {
  readonly #frames: DeferredFrame[] = [];
  #bytes = 0;

  /** The estimated bytes of heap of the frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame behind the others. */
  push(frame: DeferredFrame): void {
    this.#frames.push(frame);
    this.#bytes += bytesOf(frame);
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

function bytesOf({ text }: DeferredFrame): number {
  return textHeapBytes(text?.length ?? 0);
}
