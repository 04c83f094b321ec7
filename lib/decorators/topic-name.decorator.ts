import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { realtimeContextOf } from './realtime-context.js';

/** Finds the value of the parameter; the explorer recognises the decorator by this function. */
export function topicNameOf(_data: unknown, context: ExecutionContext): string | undefined {
  return realtimeContextOf(context)?.topic;
}

const decorate = createParamDecorator(topicNameOf);

/**
 * Injects the full name of the topic, such as `chat:lobby`, into a topic handler.
 * @publicApi
 */
export function TopicName(): ParameterDecorator {
  return decorate();
}
