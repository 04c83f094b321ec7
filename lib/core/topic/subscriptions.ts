import { MultiMap } from '../base/multi-map.js';

/**
 * The subscriptions of a node, indexed by topic and by connection. The cost of an operation depends on the entries it
 * touches, never on the total number of topics or connections. A topic without subscribers and a connection without topics
 * take no memory. Mutable; one owner changes it.
 */
export class Subscriptions {
  readonly #subscribers = new MultiMap();
  readonly #topics = new MultiMap();
  #size = 0;

  /** @returns true if the connection was not subscribed before */
  subscribe(connectionId: string, topic: string): boolean {
    if (!this.#subscribers.add(topic, connectionId)) return false;
    this.#topics.add(connectionId, topic);
    this.#size += 1;
    return true;
  }

  /** @returns true if the connection was subscribed before */
  unsubscribe(connectionId: string, topic: string): boolean {
    if (!this.#subscribers.remove(topic, connectionId)) return false;
    this.#topics.remove(connectionId, topic);
    this.#size -= 1;
    return true;
  }

  /** @returns the topics that the connection was subscribed to, in the order of its subscriptions */
  unsubscribeAll(connectionId: string): readonly string[] {
    const topics = [...this.topicsOf(connectionId)];
    for (const topic of topics) this.unsubscribe(connectionId, topic);
    return topics;
  }

  /** True when the connection is subscribed to the topic. */
  isSubscribed(connectionId: string, topic: string): boolean {
    return this.#subscribers.get(topic).has(connectionId);
  }

  /** Ids of the subscribed connections. The set belongs to the index: do not keep or change it. */
  subscribersOf(topic: string): ReadonlySet<string> {
    return this.#subscribers.get(topic);
  }

  /** The topics of a connection. The set belongs to the index: do not keep or change it. */
  topicsOf(connectionId: string): ReadonlySet<string> {
    return this.#topics.get(connectionId);
  }

  /** True when the topic has a subscriber. */
  hasTopic(topic: string): boolean {
    return this.#subscribers.has(topic);
  }

  /** The number of topics with at least one subscriber. */
  get topicCount(): number {
    return this.#subscribers.size;
  }

  /** The number of (connection, topic) pairs. */
  get subscriptionCount(): number {
    return this.#size;
  }
}
