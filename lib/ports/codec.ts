import type { Decoded } from '../core/protocol/decoded.js';
import type { Push } from '../core/protocol/push.js';
import type { FramePayload } from './frame.js';

export type { Decoded } from '../core/protocol/decoded.js';

/**
 * The commands of one frame, in order. They are decoded lazily, so that a caller that stops early, because a command ended
 * the connection, does not pay for the rest.
 */
export interface DecodedBatch {
  readonly batch: Iterable<Decoded>;
}

/**
 * A wire protocol: frames to commands, pushes to frames, and the rules of the dialogue. Deterministic and stateless: one
 * instance serves all connections that use the protocol.
 */
export interface Codec {
  /** Its name in metrics. */
  readonly name: string;
  /** Its WebSocket sub-protocol, selected if a client offers it; it also selects the codec where a path has several. */
  readonly subprotocol?: string;
  /** The value of the query parameters `cf_protocol` and `format` that selects it where a path has several codecs. */
  readonly format?: string;
  /**
   * True if the client opens the dialogue. The upgrade then succeeds without a check of tokens; the first command carries
   * the token, or refers to that of the upgrade request.
   */
  readonly clientOpens?: boolean;
  /** True if an error that cannot be answered (a frame that is not a command, a command out of place) closes the connection. */
  readonly isStrict?: boolean;
  /** True if clients answer heartbeat pings with a command, so that WebSocket pings are not needed. */
  readonly answersPings?: boolean;
  /** True if clients know personal topics, in which they recover messages that were sent to their user. */
  readonly hasPersonalTopics?: boolean;
  /** True if the answer to a request to recover holds the first page of publications. Otherwise the page follows the answer, in frames of its own. */
  readonly answersWithPublications?: boolean;
  /**
   * True if its frames are binary WebSocket messages, both ways; by default they are text. A client's frame of the other kind
   * counts as invalid input, and is not decoded.
   */
  readonly isBinary?: boolean;
  /**
   * Decodes one frame: a string, or a `Buffer` if the codec is binary. Never throws: invalid input gives `{ ok: false }`.
   * Commands must not refer to the bytes of the frame, whose memory may be that of a larger chunk.
   */
  decode(frame: FramePayload): Decoded | DecodedBatch;
  /**
   * Returns the frame of a push, or `undefined` if the protocol has no frame for it. Joins and leaves always have one.
   * Throws if a reply's payload cannot be serialised.
   */
  encodePush(push: Push, timestamp: string): FramePayload | undefined;
  /**
   * Returns the frame of a message, for any number of clients.
   * @param text the message as JSON, as `stringifyMessage` in `core` writes it
   * @param topic the topic, if the message was published to one; a personal topic may contain any characters
   * @param offset its offset in the topic's history, if the topic keeps one
   * @param trace the context of its publish as `traceparent`, if clients are told
   */
  encodeMessage(text: string, topic: string | undefined, offset?: number, trace?: string): FramePayload;
}
