import { MultiMap } from '../base/multi-map.js';

/**
 * Which connection is subscribed to which topic, indexed both ways. Every operation costs what it touches, never the
 * number of topics or connections; a topic without subscribers, and a connection without topics, leave nothing behind.
 * Changed in place by its one owner.
 */
export class Subscriptions {
  readonly #subscribers = new MultiMap();
  readonly #topics = new MultiMap();
  #size = 0;

  /** @returns true when the connection was not subscribed before */
  subscribe(connectionId: string, topic: string): boolean {
    if (!this.#subscribers.add(topic, connectionId)) return false;
    this.#topics.add(connectionId, topic);
    this.#size += 1;
    return true;
  }

  /** @returns true when the connection was subscribed before */
  unsubscribe(connectionId: string, topic: string): boolean {
    if (!this.#subscribers.remove(topic, connectionId)) return false;
    this.#topics.remove(connectionId, topic);
    this.#size -= 1;
    return true;
  }

  /** @returns the topics the connection was subscribed to, in the order of its subscriptions */
  unsubscribeAll(connectionId: string): readonly string[] {
    const topics = [...this.topicsOf(connectionId)];
    for (const topic of topics) this.unsubscribe(connectionId, topic);
    return topics;
  }

  /** True when the connection is subscribed to the topic. */
  isSubscribed(connectionId: string, topic: string): boolean {
    return this.#subscribers.get(topic).has(connectionId);
  }

  /** Ids of the subscribed connections. The set is the index's own: do not keep or change it. */
  subscribersOf(topic: string): ReadonlySet<string> {
    return this.#subscribers.get(topic);
  }

  /** The topics of a connection. The set is the index's own: do not keep or change it. */
  topicsOf(connectionId: string): ReadonlySet<string> {
    return this.#topics.get(connectionId);
  }

  /** True when the topic has a subscriber. */
  hasTopic(topic: string): boolean {
    return this.#subscribers.has(topic);
  }

  /** How many topics have a subscriber. */
  get topicCount(): number {
    return this.#subscribers.size;
  }

  /** How many (connection, topic) pairs there are. */
  get subscriptionCount(): number {
    return this.#size;
  }
}
