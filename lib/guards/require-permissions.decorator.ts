import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { RealtimeAuthGuard } from './realtime-auth.guard.js';
import { REQUIRED_PERMISSIONS_METADATA } from './requirement-metadata.js';

/**
 * Allows only users that have all of the permissions. Otherwise like `@RequireRoles()`, with which it can be combined.
 * @throws RealtimeConfigurationError if the list is empty
 * @publicApi
 */
export function RequirePermissions(...permissions: string[]): MethodDecorator & ClassDecorator {
  if (permissions.length === 0) {
    throw new RealtimeConfigurationError('@RequirePermissions() needs at least one permission.');
  }
  return applyDecorators(SetMetadata(REQUIRED_PERMISSIONS_METADATA, permissions), UseGuards(RealtimeAuthGuard));
}
