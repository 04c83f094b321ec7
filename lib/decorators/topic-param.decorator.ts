import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { realtimeContextOf } from './realtime-context.js';

/** Finds the value of the parameter; the explorer recognises the decorator by this function. */
export function topicParamOf(name: string | undefined, context: ExecutionContext): unknown {
  const params = realtimeContextOf(context)?.params;
  return name === undefined ? params : params?.[name];
}

const decorate = createParamDecorator<string | undefined>(topicParamOf);

/**
 * Injects a parameter of the pattern into a topic handler: for `chat:{room}` and the topic `chat:lobby`,
 * `@TopicParam('room')` is `'lobby'`. Without a name it injects all parameters as an object. A name that the pattern does
 * not have stops the boot.
 *
 * Only pipes given here, and pipes that handle custom decorators, process the value. In guards and interceptors use
 * `realtimeContextOf(context)?.params`.
 * @publicApi
 */
export function TopicParam(name?: string, ...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator {
  return decorate(name, ...pipes);
}
