import { Subscriptions } from '../../core/topic/subscriptions.js';
import { PubSubManager } from '../../ports/pub-sub-manager.js';

/** Keeps the subscriptions of this node in memory, indexed by topic and by connection. */
export class InMemoryPubSubManager extends PubSubManager {
  readonly #subscriptions = new Subscriptions();

  subscribe(connectionId: string, topic: string): boolean {
    return this.#subscriptions.subscribe(connectionId, topic);
  }

  unsubscribe(connectionId: string, topic: string): boolean {
    return this.#subscriptions.unsubscribe(connectionId, topic);
  }

  unsubscribeAll(connectionId: string): readonly string[] {
    return this.#subscriptions.unsubscribeAll(connectionId);
  }

  isSubscribed(connectionId: string, topic: string): boolean {
    return this.#subscriptions.isSubscribed(connectionId, topic);
  }

  subscribersOf(topic: string): ReadonlySet<string> {
    return this.#subscriptions.subscribersOf(topic);
  }

  topicsOf(connectionId: string): ReadonlySet<string> {
    return this.#subscriptions.topicsOf(connectionId);
  }

  get topicCount(): number {
    return this.#subscriptions.topicCount;
  }

  get subscriptionCount(): number {
    return this.#subscriptions.subscriptionCount;
  }
}
