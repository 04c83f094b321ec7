import { connection } from '../core/routing/address.js';
import type { Envelope } from '../core/routing/envelope.js';
import { MultiMap } from '../core/base/multi-map.js';

/**
 * Who subscribes to a topic that keeps no history, and has not been told yet. The first publications may come in with the
 * word that the subscription is in force; clients take none before they have had that word themselves.
 */
export class PendingSubscribers {
  readonly #byTopic = new MultiMap();

  /** From now on the connection gets nothing of the topic; to be called before it subscribes. */
  hold(topic: string, connectionId: string): void {
    this.#byTopic.add(topic, connectionId);
  }

  /** It gets everything from now on, or has left. */
  release(topic: string, connectionId: string): void {
    this.#byTopic.remove(topic, connectionId);
  }

  /** An envelope for all others: the same one, nearly always. */
  passOver(envelope: Envelope): Envelope {
    if (this.#byTopic.size === 0) return envelope;
    const [first, ...others] = envelope.to;
    if (first?.kind !== 'topic' || others.length > 0 || !this.#byTopic.has(first.id)) return envelope;
    return { ...envelope, except: [...envelope.except, ...Array.from(this.#byTopic.get(first.id), connection)] };
  }
}
