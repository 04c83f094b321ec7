import type { TopicLabels } from '../core/metrics/topic-labels.js';
import type { TopicHandlerRegistry } from './topic-handler.registry.js';

/** The label values that `@TopicGateway()` and `@OnMessage()` declare. A lookup allocates nothing. */
export class GatewayTopicLabels implements TopicLabels {
  constructor(private readonly topics: TopicHandlerRegistry) {}

  patternOf(topic: string): string | undefined {
    return this.topics.find(topic)?.gateway.pattern.source;
  }

  takes(topic: string, type: string): boolean {
    return this.topics.find(topic)?.gateway.onMessage.has(type) ?? false;
  }
}
