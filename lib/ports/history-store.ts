import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { HistoryPage, HistoryRange, Retention, StreamPosition } from '../core/history/history.js';
import type { BusPublishOptions } from './message-bus.js';

/** Options of one publication. */
export interface HistoryPublishOptions extends BusPublishOptions {
  /** Makes the publication idempotent: a second one to the topic with the same key within 5 minutes returns the first one's position. */
  readonly idempotencyKey?: string;
  /** The `trace` of the envelope in which the publication is sent; histories do not keep it. */
  readonly trace?: string;
}

/**
 * Keeps the history of topics: for each topic a stream of publications, numbered without gaps.
 *
 * **Promised by an implementation:** `publish` assigns the message the next offset of its topic. In the same step it sends
 * the message to every node that has joined the topic's subject on the bus, in an envelope whose content carries the
 * position. So reads and arrivals have the same order on all nodes. A personal topic goes to the user, on the subject of the
 * user: `addressOfTopic` in `core` returns the address of a topic. The last `size` publications are kept until `ttlMs` after
 * the last one. The position of a topic is kept after the last publication or read, for 24 hours and at least ten times
 * `ttlMs`. Reading a topic to which nothing was published stores nothing, and the position read stays valid for a day: the
 * first publication continues from it, or from a position into which `inEpoch` of `core` translates it. Whenever offsets may
 * have been lost or may be assigned again, for example after a server came back with an older state, the epoch changes. An
 * epoch passes `isEpoch` of `core`; positions with any other one are refused when clients and other nodes send them.
 * `read` returns publications without gaps. With `since`, it starts with the publication after it, or, if that is no longer
 * kept, with the oldest one that is.
 *
 * **Concurrency:** all methods may be called while earlier calls are in progress.
 *
 * **Errors:** `publish` rejects with `UNAVAILABLE` if the outcome is unknown: the message may or may not have been stored and
 * published, and it is never published twice because of that. It rejects with `LIMIT_EXCEEDED` if the message is too large to
 * be carried. `read` rejects with `UNAVAILABLE`.
 *
 * **Closing:** it is used between `open` and `close` of the bus, which the module calls.
 *
 * **Not promised:** that a kept publication survives its server.
 */
export abstract class HistoryStore {
  /**
   * Adds a message to a topic's history and publishes it.
   * @param text the message as JSON text
   * @returns the delivery report with `epoch` and `offset`; for a repeated key, `recipients` is 0, `complete` false and `repeated` true
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

/** The delivery report of a publication, with its position. */
export type PositionedReport = DeliveryReport & StreamPosition;
