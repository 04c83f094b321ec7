/** The party whose rights a decision examines: a connection, or the identity behind an HTTP request. */
export interface Principal {
  readonly roles: ReadonlySet<string>;
  readonly permissions: ReadonlySet<string>;
  readonly expiresAt?: Date;
}

/** The rights that a principal must have. */
export interface Requirements {
  /** At least one of these is required. */
  readonly roles?: readonly string[];
  /** All of these are required. */
  readonly permissions?: readonly string[];
  /** Accepts a principal whose token has expired; default false. */
  readonly allowExpired?: boolean;
}

/** The reason for a refusal. */
export type Refusal =
  | { readonly kind: 'expired' }
  | { readonly kind: 'missing-role'; readonly anyOf: readonly string[] }
  | { readonly kind: 'missing-permission'; readonly missing: readonly string[] };

/** The result of an authorization check, with the reason for a refusal. */
export type Authorization = { readonly allowed: true } | { readonly allowed: false; readonly refusal: Refusal };

/** A refusal as the refused party sees it. It never names the missing role. */
export interface AuthError {
  readonly code: 'TOKEN_EXPIRED' | 'FORBIDDEN';
  readonly message: string;
}

const ALLOWED: Authorization = { allowed: true };

/** True if the principal has the role. */
export function hasRole(principal: Pick<Principal, 'roles'>, role: string): boolean {
  return principal.roles.has(role);
}

/** True if the principal has one of the roles; false for an empty list. */
export function hasAnyRole(principal: Pick<Principal, 'roles'>, roles: readonly string[]): boolean {
  return roles.some((role) => principal.roles.has(role));
}

/** True if the principal has every one of the roles; true for an empty list. */
export function hasAllRoles(principal: Pick<Principal, 'roles'>, roles: readonly string[]): boolean {
  return roles.every((role) => principal.roles.has(role));
}

/** True if the principal has the permission. */
export function hasPermission(principal: Pick<Principal, 'permissions'>, permission: string): boolean {
  return principal.permissions.has(permission);
}

/** True if the principal has one of the permissions; false for an empty list. */
export function hasAnyPermission(principal: Pick<Principal, 'permissions'>, permissions: readonly string[]): boolean {
  return permissions.some((permission) => principal.permissions.has(permission));
}

/** True if the principal has every one of the permissions; true for an empty list. */
export function hasAllPermissions(principal: Pick<Principal, 'permissions'>, permissions: readonly string[]): boolean {
  return permissions.every((permission) => principal.permissions.has(permission));
}

/**
 * Decides whether a principal meets the requirements: not expired, any of the roles, all of the permissions. An empty
 * list requires nothing. An `expiresAt` that is not a valid date counts as expired.
 */
export function authorize(principal: Principal, requirements: Requirements, now: Date): Authorization {
  const alive = !principal.expiresAt || principal.expiresAt.getTime() > now.getTime();
  if (!alive && !requirements.allowExpired) {
    return { allowed: false, refusal: { kind: 'expired' } };
  }
  const anyOf = requirements.roles ?? [];
  if (anyOf.length > 0 && !hasAnyRole(principal, anyOf)) {
    return { allowed: false, refusal: { kind: 'missing-role', anyOf } };
  }
  const missing = (requirements.permissions ?? []).filter((permission) => !principal.permissions.has(permission));
  return missing.length > 0 ? { allowed: false, refusal: { kind: 'missing-permission', missing } } : ALLOWED;
}

/** Returns the error to send to the refused party. */
export function authError(refusal: Refusal): AuthError {
  switch (refusal.kind) {
    case 'expired':
      return { code: 'TOKEN_EXPIRED', message: 'The token has expired; get a new one and try again.' };
    case 'missing-role':
      return { code: 'FORBIDDEN', message: 'A required role is missing.' };
    case 'missing-permission':
      return { code: 'FORBIDDEN', message: 'A required permission is missing.' };
  }
}
