import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { RealtimeUser } from './realtime-user.js';

/**
 * Injects the {@link RealtimeUser} whom `RealtimeAuthGuard` authenticated for an HTTP request; `undefined` on a route
 * without the guard, and in topic handlers, which have `@CurrentConnection()`.
 * @publicApi
 */
export const CurrentUser: () => ParameterDecorator = createParamDecorator<never, RealtimeUser | undefined>(
  (_data, context: ExecutionContext) =>
    context.getType() === 'http' ? context.switchToHttp().getRequest<{ user?: RealtimeUser }>().user : undefined,
);
