import { Injectable } from '@nestjs/common';
import { connection } from '../core/routing/address.js';
import type { Envelope } from '../core/routing/envelope.js';
import { MultiMap } from '../core/base/multi-map.js';

/**
 * Subscribers of topics without a history whose subscription is not confirmed yet. The bus may bring the first publications
 * together with the confirmation that the subscription is active; a client must not receive one before its confirmation.
 */
@Injectable()
export class PendingSubscribers {
  readonly #byTopic = new MultiMap();

  /** Withholds the topic's publications from the connection. Call it before the connection subscribes. */
  hold(topic: string, connectionId: string): void {
    this.#byTopic.add(topic, connectionId);
  }

  /** Ends the hold: the connection's subscription is confirmed, or has ended. */
  release(topic: string, connectionId: string): void {
    this.#byTopic.remove(topic, connectionId);
  }

  /** The envelope without the pending subscribers of its topic; nearly always the same object. */
  passOver(envelope: Envelope): Envelope {
    if (this.#byTopic.size === 0) return envelope;
    const [first, ...others] = envelope.to;
    if (first?.kind !== 'topic' || others.length > 0 || !this.#byTopic.has(first.id)) return envelope;
    return { ...envelope, except: [...envelope.except, ...Array.from(this.#byTopic.get(first.id), connection)] };
  }
}
