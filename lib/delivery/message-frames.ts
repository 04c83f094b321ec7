import { FrameSet } from './frame-set.js';

/** The frames of one message. */
export class MessageFrames extends FrameSet {
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
}
