import { FrameSet } from './frame-set.js';

/** The frames of one message. */
export class MessageFrames extends FrameSet {
  #textBytes: number | undefined;

  /**
   * @param text the message as JSON text
   * @param topic the topic it was published to, if that was its only address
   * @param offset its offset in the topic's history, if the topic keeps one
   * @param trace the context of its publish, if clients are told
   */
  constructor(
    readonly text: string,
    topic: string | undefined,
    offset?: number,
    trace?: string,
  ) {
    super((codec) => codec.encodeMessage(text, topic, offset, trace));
  }

  /** The size of the text in bytes. */
  get textBytes(): number {
    return (this.#textBytes ??= Buffer.byteLength(this.text));
  }
}
