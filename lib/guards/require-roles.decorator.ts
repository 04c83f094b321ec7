import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { RealtimeAuthGuard } from './realtime-auth.guard.js';
import { REQUIRED_ROLES_METADATA } from './requirement-metadata.js';

/**
 * Lets in only those who have any one of the roles: on HTTP routes and controllers, on topic handlers and gateways. A
 * method's list stands in place of its class's. It brings {@link RealtimeAuthGuard} with it, so that a requirement is
 * never there without anybody to check it; where the guard is bound already, nothing is verified twice.
 *
 * On a class with `@OnConnect()` it refuses the connections of everybody else.
 * @throws RealtimeConfigurationError when the list is empty
 * @publicApi
 */
export function RequireRoles(...roles: string[]): MethodDecorator & ClassDecorator {
  if (roles.length === 0) throw new RealtimeConfigurationError('@RequireRoles() needs at least one role.');
  return applyDecorators(SetMetadata(REQUIRED_ROLES_METADATA, roles), UseGuards(RealtimeAuthGuard));
}
