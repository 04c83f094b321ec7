import { FrameSet } from './frame-set.js';

/** The frames of one message. */
export class MessageFrames extends FrameSet {
  #textBytes: number | undefined;

  /**
   * @param text the message as JSON text
   * @param topic the topic it was published to, when it was published to one alone
   * @param offset its place in the topic's history, when that keeps one
   */
  constructor(
    readonly text: string,
    topic: string | undefined,
    offset?: number,
  ) {
    super((codec) => codec.encodeMessage(text, topic, offset));
  }

  /** How many bytes the text has. */
  get textBytes(): number {
    return (this.#textBytes ??= Buffer.byteLength(this.text));
  }
}
