import type { Decoded } from '../core/protocol/decoded.js';
import type { Push } from '../core/protocol/push.js';

export type { Decoded } from '../core/protocol/decoded.js';

/**
 * The commands of one frame, in order. They are decoded while the caller iterates, so that a caller that stops (because a
 * command has ended the connection) does not pay for the rest.
 */
export interface DecodedBatch {
  readonly batch: Iterable<Decoded>;
}

/**
 * A wire protocol: frames to commands, and pushes to frames, and how the two sides converse. Deterministic, without state
 * of its own: one instance serves all connections that speak it.
 */
export interface Codec {
  /** The WebSocket sub-protocol that stands for it, answered when a client offers it. */
  readonly subprotocol?: string;
  /**
   * True: the client speaks first. Whoever may connect is let in without a look at tokens; the first command brings one, or
   * leaves it at that of the request.
   */
  readonly clientOpens?: boolean;
  /** True: what nobody can be told about (a frame that is no command, a command out of place) ends the connection. */
  readonly isStrict?: boolean;
  /** True: clients answer a ping with a command, and WebSocket pings are not needed. */
  readonly answersPings?: boolean;
  /** True: clients can be told of a topic of their user's own, and recover in it what was sent to the user. */
  readonly hasPersonalTopics?: boolean;
  /** Reads the text of one frame. Hostile input is a result, never an exception. */
  decode(text: string): Decoded | DecodedBatch;
  /**
   * The frame for one client about its connection, or `undefined` when clients are not told this; who joins and who leaves
   * they are. Throws when a reply's payload cannot be serialised.
   */
  encodePush(push: Push, timestamp: string): string | undefined;
  /**
   * The frame that carries a message to any number of clients.
   * @param text the message as JSON, as `stringifyMessage` in `core` writes it
   * @param topic the topic it was published to, when it was published to one; a user's own may have any characters in it
   * @param offset its place in the topic's history, when that keeps one
   */
  encodeMessage(text: string, topic: string | undefined, offset?: number): string;
}
