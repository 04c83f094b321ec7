import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { RealtimeAuthGuard } from './realtime-auth.guard.js';
import { REQUIRED_ROLES_METADATA } from './requirement-metadata.js';

/**
 * Allows only users that have at least one of the roles: on HTTP routes and controllers, on topic handlers and gateways. The
 * list of a method replaces that of its class. It binds {@link RealtimeAuthGuard}, so that a requirement is always checked;
 * if the guard is already bound, the token is verified only once.
 *
 * On a class with `@OnConnect()` it refuses the connections of all other users.
 * @throws RealtimeConfigurationError if the list is empty
 * @publicApi
 */
export function RequireRoles(...roles: string[]): MethodDecorator & ClassDecorator {
  if (roles.length === 0) throw new RealtimeConfigurationError('@RequireRoles() needs at least one role.');
  return applyDecorators(SetMetadata(REQUIRED_ROLES_METADATA, roles), UseGuards(RealtimeAuthGuard));
}
