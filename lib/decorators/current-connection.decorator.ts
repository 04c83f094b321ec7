import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { realtimeContextOf } from './realtime-context.js';

/** Finds the value of the parameter; the explorer recognises the decorator by this function. */
export function currentConnectionOf(_data: unknown, context: ExecutionContext): RealtimeConnection | undefined {
  return realtimeContextOf(context)?.connection;
}

const decorate = createParamDecorator(currentConnectionOf);

/**
 * Injects the `RealtimeConnection` for which a topic handler or connection hook is called; `undefined` on an HTTP route.
 * `@OnJoin()`, `@OnLeave()` and `@OnPresenceUpdate()` have no connection: there it stops the boot. In guards and interceptors
 * use `realtimeContextOf(context)?.connection`.
 * @publicApi
 */
export function CurrentConnection(): ParameterDecorator {
  return decorate();
}
