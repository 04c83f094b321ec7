import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { RealtimeAuthGuard } from './realtime-auth.guard.js';
import { REQUIRED_PERMISSIONS_METADATA } from './requirement-metadata.js';

/**
 * Lets in only those who have all of the permissions; otherwise like `@RequireRoles()`, beside which it may stand.
 * @throws RealtimeConfigurationError when the list is empty
 * @publicApi
 */
export function RequirePermissions(...permissions: string[]): MethodDecorator & ClassDecorator {
  if (permissions.length === 0) {
    throw new RealtimeConfigurationError('@RequirePermissions() needs at least one permission.');
  }
  return applyDecorators(SetMetadata(REQUIRED_PERMISSIONS_METADATA, permissions), UseGuards(RealtimeAuthGuard));
}
