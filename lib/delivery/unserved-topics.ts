import { SafeLogger } from '../errors/safe-logger.js';
import type { Address } from '../core/routing/address.js';
import { topicShape } from '../core/topic/topic-shape.js';
import type { TopicPolicies } from './topic-policies.js';

/** Most warnings of an application. */
const MAX_WARNINGS = 20;

/**
 * Warns about messages to topics that no gateway of the application serves, for example because of a misspelled name: no
 * client can subscribe to them. Warns once per shape of names.
 */
export class UnservedTopics {
  readonly #logger = new SafeLogger('RealtimeService');
  readonly #warned = new Set<string>();

  constructor(private readonly policies: TopicPolicies) {}

  /** Records that a message to these addresses reached no connection. */
  sentTo(addresses: readonly Address[]): void {
    if (!this.policies.hasGateways || this.#warned.size >= MAX_WARNINGS) return;
    for (const address of addresses) {
      if (address.kind === 'topic' && this.policies.of(address.id) === undefined) this.#warn(address.id);
    }
  }

  #warn(topic: string): void {
    const shape = topicShape(topic);
    if (this.#warned.has(shape) || this.#warned.size >= MAX_WARNINGS) return;
    this.#warned.add(shape);
    const last = this.#warned.size === MAX_WARNINGS ? ' This is the last warning of its kind.' : '';
    this.#logger.warn(
      `A message to the topic "${topic}" reached nobody: no @TopicGateway() of this application has a pattern for it, so ` +
        `clients cannot subscribe. Logged once for topics like "${shape}".${last}`,
    );
  }
}
