import type { Codec } from '../ports/codec.js';
import { Frame, type FramePayload } from '../ports/frame.js';

/** Frames for many recipients: encoded once for each codec among the recipients, and shared by all of them. */
export class FrameSet {
  #codec: Codec | undefined;
  #frame: Frame | undefined;
  #others: Map<Codec, Frame> | undefined;

  constructor(private readonly encode: (codec: Codec) => FramePayload) {}

  for(codec: Codec): Frame {
    // Nearly always all recipients speak the same codec.
    if (codec === this.#codec) return this.#frame!;
    if (this.#codec === undefined) {
      this.#codec = codec;
      return (this.#frame = this.#make(codec));
    }
    this.#others ??= new Map();
    let frame = this.#others.get(codec);
    if (frame === undefined) this.#others.set(codec, (frame = this.#make(codec)));
    return frame;
  }

  #make(codec: Codec): Frame {
    return new Frame(this.encode(codec));
  }
}
