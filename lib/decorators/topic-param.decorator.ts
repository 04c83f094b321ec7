import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { realtimeContextOf } from './realtime-context.js';

/** How the value is found; by it the explorer knows the decorator. */
export function topicParamOf(name: string | undefined, context: ExecutionContext): unknown {
  const params = realtimeContextOf(context)?.params;
  return name === undefined ? params : params?.[name];
}

const decorate = createParamDecorator<string | undefined>(topicParamOf);

/**
 * Gives a topic handler a parameter of its pattern: for `chat:{room}` and the topic `chat:lobby`,
 * `@TopicParam('room')` is `'lobby'`. Without a name: all of them, as an object. A name that the pattern does not have
 * stops the boot.
 *
 * Only pipes that are given here, or that care about custom decorators, see the value. Inside guards and interceptors use
 * `realtimeContextOf(context)?.params`.
 * @publicApi
 */
export function TopicParam(name?: string, ...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator {
  return decorate(name, ...pipes);
}
