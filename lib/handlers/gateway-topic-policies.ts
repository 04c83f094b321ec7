import type { Retention } from '../core/history/history.js';
import type { GatewayLimits } from '../core/protocol/gateway-limits.js';
import { userOfPersonalTopic } from '../core/topic/reserved-topic.js';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import type { TopicHandlerRegistry } from './topic-handler.registry.js';

/** The policies that `@TopicGateway()` and the module's options declare. A lookup allocates nothing. */
export class GatewayTopicPolicies {
  readonly #personal: TopicGatewayOptions | undefined;

  /** @param personalTopics the retention of personal topics; nothing if users have no personal topic */
  constructor(
    private readonly topics: TopicHandlerRegistry,
    personalTopics: Retention | undefined,
  ) {
    this.#personal = personalTopics && { history: personalTopics };
  }

  /** True when the application has a `@TopicGateway()` at all. */
  get hasGateways(): boolean {
    return !this.topics.isEmpty;
  }

  /** The limits of all gateways that declare any. */
  get limits(): readonly GatewayLimits[] {
    return this.topics.limits;
  }

  /** @returns the policy of the topic, or nothing when no gateway serves the topic */
  of(topic: string): Readonly<TopicGatewayOptions> | undefined {
    if (userOfPersonalTopic(topic) !== undefined) return this.#personal;
    return this.topics.find(topic)?.gateway.options;
  }
}
