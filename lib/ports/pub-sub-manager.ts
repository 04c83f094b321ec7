/**
 * Which connection of this node is subscribed to which topic.
 *
 * **Promised by an implementation:** it answers at once, from this process's memory; subscribing twice counts once;
 * a topic without subscribers and a connection without topics leave nothing behind; every call costs what it touches,
 * however many topics and connections there are. Sets that are returned may be live: callers neither keep nor change
 * them, but may unsubscribe while they iterate.
 *
 * **Not promised:** any judgement. Whether somebody may subscribe, and whether a topic's name is valid, was decided before.
 */
export abstract class PubSubManager {
  /** @returns true when the connection was not subscribed before */
  abstract subscribe(connectionId: string, topic: string): boolean;
  /** @returns true when the connection was subscribed before */
  abstract unsubscribe(connectionId: string, topic: string): boolean;
  /** @returns the topics the connection was subscribed to */
  abstract unsubscribeAll(connectionId: string): readonly string[];
  /** True when the connection is subscribed to the topic. */
  abstract isSubscribed(connectionId: string, topic: string): boolean;
  /** Ids of the connections subscribed to a topic. */
  abstract subscribersOf(topic: string): ReadonlySet<string>;
  /** The topics a connection is subscribed to. */
  abstract topicsOf(connectionId: string): ReadonlySet<string>;
  /** How many topics have a subscriber. */
  abstract readonly topicCount: number;
  /** How many (connection, topic) pairs there are. */
  abstract readonly subscriptionCount: number;
}
