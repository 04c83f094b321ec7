import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { RealtimeUser } from 'nestjs-realtime';

/** The user whom `RealtimeAuthGuard` found in the request's token. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<{ user: RealtimeUser }>().user,
);
