import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection.js';
import { realtimeContextOf } from './realtime-context.js';

const decorate = createParamDecorator((_data: unknown, context: ExecutionContext): RealtimeConnection | undefined => {
  return realtimeContextOf(context)?.connection;
});

/**
 * Gives a topic handler or a connection hook the connection that it is called for, a `RealtimeConnection`; on an HTTP
 * route, `undefined`. Inside guards and interceptors use `realtimeContextOf(context)?.connection`.
 * @publicApi
 */
export function CurrentConnection(): ParameterDecorator {
  return decorate();
}
