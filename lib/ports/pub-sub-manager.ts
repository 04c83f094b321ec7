/**
 * The subscriptions of this node: connections to topics.
 *
 * **Promised by an implementation:** it answers synchronously, from the memory of this process. Subscribing is idempotent. A
 * topic without subscribers and a connection without topics take no memory. The cost of a call depends on the entries it
 * touches, not on the number of topics and connections. Returned sets may be live: callers do not change them. Connections
 * may subscribe and unsubscribe while a caller iterates over one, which may take several turns of the event loop.
 *
 * **Not promised:** any checks. Callers have authorized the subscription and checked the topic's name.
 */
export abstract class PubSubManager {
  /** @returns true if the connection was not subscribed before */
  abstract subscribe(connectionId: string, topic: string): boolean;
  /** @returns true if the connection was subscribed before */
  abstract unsubscribe(connectionId: string, topic: string): boolean;
  /** @returns the topics that the connection was subscribed to */
  abstract unsubscribeAll(connectionId: string): readonly string[];
  /** True if the connection is subscribed to the topic. */
  abstract isSubscribed(connectionId: string, topic: string): boolean;
  /** Ids of the connections subscribed to a topic. */
  abstract subscribersOf(topic: string): ReadonlySet<string>;
  /** The topics that a connection is subscribed to. */
  abstract topicsOf(connectionId: string): ReadonlySet<string>;
  /** The number of topics with at least one subscriber. */
  abstract readonly topicCount: number;
  /** The number of (connection, topic) pairs. */
  abstract readonly subscriptionCount: number;
}
