import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { realtimeContextOf } from './realtime-context.js';

/** How the value is found; by it the explorer knows the decorator. */
export function topicNameOf(_data: unknown, context: ExecutionContext): string | undefined {
  return realtimeContextOf(context)?.topic;
}

const decorate = createParamDecorator(topicNameOf);

/**
 * Gives a topic handler the topic's whole name, such as `chat:lobby`.
 * @publicApi
 */
export function TopicName(): ParameterDecorator {
  return decorate();
}
