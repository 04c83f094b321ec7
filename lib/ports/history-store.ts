import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { HistoryPage, HistoryRange, Retention, StreamPosition } from '../core/history/history.js';
import type { BusPublishOptions } from './message-bus.js';

/** How one publication is made. */
export interface HistoryPublishOptions extends BusPublishOptions {
  /** Two publications to a topic with the same key, within 5 minutes, are one: the second gets the position of the first. */
  readonly idempotencyKey?: string;
}

/**
 * Keeps the recent past of topics: a stream of publications for each, counted without a hole.
 *
 * **Promised by an implementation:** `publish` gives the message the next offset of its topic and hands it, in the same
 * step, to every node that has joined the topic's subject on the bus, as an envelope whose content carries its position:
 * what is read here and what arrives there have one order, on all nodes. A user's own topic goes to the user, on the subject
 * of the user: `addressOfTopic` in `core` tells the address of a topic. The last `size` publications are kept until
 * `ttlMs` after the last one; the position of a topic is kept for 24 hours, and ten times `ttlMs` at least, after it was last
 * published to or read. Reading a topic to which nothing was published stores nothing, and the position that was read stays
 * good for a day: the first publication goes on from it, or from a position that `inEpoch` of `core` translates it into. Whenever
 * what was counted may have been lost or be counted again, as when a server came back with an older state, the epoch is
 * another one. `read` returns a run without a hole: when `since` is given, the first publication is the one behind it, or, if
 * that is not kept any more, the oldest that is.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way.
 *
 * **Errors:** `publish` rejects with `UNAVAILABLE` when it is not known that the message was stored: it may have been
 * published all the same, and is never published twice for that. It rejects with `LIMIT_EXCEEDED` when the message is
 * larger than can be carried. `read` rejects with `UNAVAILABLE`.
 *
 * **Closing:** it is used between `open` and `close` of the bus, which the module calls.
 *
 * **Not promised:** that a kept publication outlives its server.
 */
export abstract class HistoryStore {
  /**
   * Adds a message to a topic's history and publishes it.
   * @param text the message as JSON text
   * @returns what it reached, with `epoch` and `offset`; of a repeated key `recipients` is 0 and `complete` false
   */
  abstract publish(
    topic: string,
    text: string,
    retention: Retention,
    options: HistoryPublishOptions,
  ): PositionedReport | Promise<PositionedReport>;
  /** Reads publications and the position of a topic; a topic without a past has the offset 0. */
  abstract read(topic: string, range: HistoryRange, retention: Retention): HistoryPage | Promise<HistoryPage>;
}

/** What a publication reached, and its place. */
export type PositionedReport = DeliveryReport & StreamPosition;
