import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { realtimeContextOf } from './realtime-context.js';

/** How the value is found; by it the explorer knows the decorator. */
export function currentConnectionOf(_data: unknown, context: ExecutionContext): RealtimeConnection | undefined {
  return realtimeContextOf(context)?.connection;
}

const decorate = createParamDecorator(currentConnectionOf);

/**
 * Gives a topic handler or a connection hook the connection that it is called for, a `RealtimeConnection`; on an HTTP
 * route, `undefined`. There is none behind `@OnJoin()` and `@OnLeave()`: it stops the boot there. Inside guards and interceptors use `realtimeContextOf(context)?.connection`.
 * @publicApi
 */
export function CurrentConnection(): ParameterDecorator {
  return decorate();
}
