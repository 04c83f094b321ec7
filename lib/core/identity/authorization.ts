/** Whom a decision is about: a connection, or the identity behind an HTTP request. */
export interface Principal {
  readonly roles: Iterable<string>;
  readonly permissions: Iterable<string>;
  readonly expiresAt?: Date;
}

/** What a subject must have. */
export interface Requirements {
  /** Any one of these is enough. */
  readonly roles?: readonly string[];
  /** All of these are needed. */
  readonly permissions?: readonly string[];
  /** Accept a subject whose token has expired; default false. */
  readonly allowExpired?: boolean;
}

/** Why a subject was refused. */
export type Refusal =
  | { readonly kind: 'expired' }
  | { readonly kind: 'missing-role'; readonly anyOf: readonly string[] }
  | { readonly kind: 'missing-permission'; readonly missing: readonly string[] };

/** The answer to "may this subject?", with the reason for a no. */
export type Authorization = { readonly allowed: true } | { readonly allowed: false; readonly refusal: Refusal };

/** The standard form in which a refusal is told to the one who was refused; it never says which role was missing. */
export interface AuthError {
  readonly code: 'TOKEN_EXPIRED' | 'FORBIDDEN';
  readonly message: string;
}

const ALLOWED: Authorization = { allowed: true };

/** True when the subject has the role. */
export function hasRole(subject: Pick<Principal, 'roles'>, role: string): boolean {
  return setOf(subject.roles).has(role);
}

/** True when the subject has one of the roles; with no roles asked for, false. */
export function hasAnyRole(subject: Pick<Principal, 'roles'>, roles: readonly string[]): boolean {
  const held = setOf(subject.roles);
  return roles.some((role) => held.has(role));
}

/** True when the subject has every one of the roles; with no roles asked for, true. */
export function hasAllRoles(subject: Pick<Principal, 'roles'>, roles: readonly string[]): boolean {
  const held = setOf(subject.roles);
  return roles.every((role) => held.has(role));
}

/** True when the subject has the permission. */
export function hasPermission(subject: Pick<Principal, 'permissions'>, permission: string): boolean {
  return setOf(subject.permissions).has(permission);
}

/** True when the subject has one of the permissions; with none asked for, false. */
export function hasAnyPermission(subject: Pick<Principal, 'permissions'>, permissions: readonly string[]): boolean {
  const held = setOf(subject.permissions);
  return permissions.some((permission) => held.has(permission));
}

/** True when the subject has every one of the permissions; with none asked for, true. */
export function hasAllPermissions(subject: Pick<Principal, 'permissions'>, permissions: readonly string[]): boolean {
  const held = setOf(subject.permissions);
  return permissions.every((permission) => held.has(permission));
}

/**
 * Decides whether a subject meets the requirements: not expired, any of the roles, all of the permissions. An empty
 * list requires nothing; an `expiresAt` that is no valid date counts as expired.
 */
export function authorize(subject: Principal, requirements: Requirements, now: Date): Authorization {
  const alive = !subject.expiresAt || subject.expiresAt.getTime() > now.getTime();
  if (!alive && !requirements.allowExpired) {
    return { allowed: false, refusal: { kind: 'expired' } };
  }
  const anyOf = requirements.roles ?? [];
  if (anyOf.length > 0 && !hasAnyRole(subject, anyOf)) {
    return { allowed: false, refusal: { kind: 'missing-role', anyOf } };
  }
  const held = setOf(subject.permissions);
  const missing = (requirements.permissions ?? []).filter((permission) => !held.has(permission));
  return missing.length > 0 ? { allowed: false, refusal: { kind: 'missing-permission', missing } } : ALLOWED;
}

/** What the refused one is told. */
export function authError(refusal: Refusal): AuthError {
  switch (refusal.kind) {
    case 'expired':
      return { code: 'TOKEN_EXPIRED', message: 'The token has expired; get a new one and try again.' };
    case 'missing-role':
      return { code: 'FORBIDDEN', message: 'One of the roles that are allowed here is needed.' };
    case 'missing-permission':
      return { code: 'FORBIDDEN', message: 'A permission that is needed here is missing.' };
  }
}

/** A connection's names are a Set already; anything else is walked once, for it may be walkable only once. */
function setOf(names: Iterable<string>): ReadonlySet<string> {
  return names instanceof Set ? names : new Set(names);
}
