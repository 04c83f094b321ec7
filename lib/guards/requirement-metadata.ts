import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Requirements } from '../core/identity/authorization.js';

/** Where `@RequireRoles()` leaves its list. */
export const REQUIRED_ROLES_METADATA = Symbol('nestjs-realtime:required-roles');

/** Where `@RequirePermissions()` leaves its list. */
export const REQUIRED_PERMISSIONS_METADATA = Symbol('nestjs-realtime:required-permissions');

/** What the handler of a context asks for; of each kind, the method's list stands in place of the class's. */
export function requirementsOf(reflector: Reflector, context: ExecutionContext): Requirements {
  const targets = [context.getHandler(), context.getClass()];
  const roles = reflector.getAllAndOverride<readonly string[] | undefined>(REQUIRED_ROLES_METADATA, targets);
  const permissions = reflector.getAllAndOverride<readonly string[] | undefined>(
    REQUIRED_PERMISSIONS_METADATA,
    targets,
  );
  return { ...(roles && { roles }), ...(permissions && { permissions }) };
}
