import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Requirements } from '../core/identity/authorization.js';

/** Metadata key for the list of `@RequireRoles()`. */
export const REQUIRED_ROLES_METADATA = Symbol.for('nestjs-realtime:required-roles');

/** Metadata key for the list of `@RequirePermissions()`. */
export const REQUIRED_PERMISSIONS_METADATA = Symbol.for('nestjs-realtime:required-permissions');

/** Returns the requirements of a context's handler. For each kind, the list of the method replaces that of the class. */
export function requirementsOf(reflector: Reflector, context: ExecutionContext): Requirements {
  const targets = [context.getHandler(), context.getClass()];
  const roles = reflector.getAllAndOverride<readonly string[] | undefined>(REQUIRED_ROLES_METADATA, targets);
  const permissions = reflector.getAllAndOverride<readonly string[] | undefined>(
    REQUIRED_PERMISSIONS_METADATA,
    targets,
  );
  return { ...(roles && { roles }), ...(permissions && { permissions }) };
}
