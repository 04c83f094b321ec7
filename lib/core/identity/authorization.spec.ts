import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authError,
  authorize,
  hasAllPermissions,
  hasAllRoles,
  hasAnyPermission,
  hasAnyRole,
  hasPermission,
  hasRole,
  type Refusal,
  type Principal,
} from './authorization.js';

const NOW = new Date('2026-01-31T12:00:00.000Z');
const principal = (partial: Partial<Principal> = {}): Principal => ({
  roles: new Set(),
  permissions: new Set(),
  ...partial,
});

const HOSTILE = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
const names = () => fc.array(fc.constantFrom('admin', 'editor', 'reader', ...HOSTILE), { maxLength: 4 });

describe.each([
  { what: 'role', one: hasRole, any: hasAnyRole, every: hasAllRoles, key: 'roles' },
  { what: 'permission', one: hasPermission, any: hasAnyPermission, every: hasAllPermissions, key: 'permissions' },
] as const)('has $what / any / all', ({ one, any, every, key }) => {
  const holder = (held: Iterable<string>) => principal({ [key]: new Set(held) });

  it('agrees with plain list membership', () => {
    fc.assert(
      fc.property(names(), names(), (held, asked) => {
        expect(any(holder(held), asked)).toBe(asked.some((name) => held.includes(name)));
        expect(every(holder(held), asked)).toBe(asked.every((name) => held.includes(name)));
        for (const name of asked) expect(one(holder(held), name)).toBe(held.includes(name));
      }),
    );
  });

  it('holds nothing that merely every object has', () => {
    for (const name of HOSTILE) expect(one(holder([]), name)).toBe(false);
  });

  it('says no to any of none, and yes to all of none', () => {
    expect(any(holder(['a']), [])).toBe(false);
    expect(every(holder([]), [])).toBe(true);
  });
});

describe('authorize', () => {
  it('allows everybody when nothing is required', () => {
    expect(authorize(principal(), {}, NOW)).toEqual({ allowed: true });
  });

  it('requires nothing with empty lists', () => {
    expect(authorize(principal(), { roles: [], permissions: [] }, NOW)).toEqual({ allowed: true });
  });

  it('is satisfied with one of the roles', () => {
    expect(authorize(principal({ roles: new Set(['b']) }), { roles: ['a', 'b'] }, NOW).allowed).toBe(true);
  });

  it('says which roles would have done', () => {
    expect(authorize(principal({ roles: new Set(['c']) }), { roles: ['a', 'b'] }, NOW)).toEqual({
      allowed: false,
      refusal: { kind: 'missing-role', anyOf: ['a', 'b'] },
    });
  });

  it('says which permissions are missing, and only those', () => {
    expect(
      authorize(principal({ permissions: new Set(['read']) }), { permissions: ['read', 'write', 'drop'] }, NOW),
    ).toEqual({
      allowed: false,
      refusal: { kind: 'missing-permission', missing: ['write', 'drop'] },
    });
  });

  it.each([
    ['a millisecond ago', -1, false],
    ['this very moment', 0, false],
    ['in a millisecond', 1, true],
  ])('judges a token that expires %s', (_, offsetMs, allowed) => {
    const expiresAt = new Date(NOW.getTime() + offsetMs);
    expect(authorize(principal({ expiresAt }), {}, NOW).allowed).toBe(allowed);
  });

  it('takes a date that is none for expired', () => {
    expect(authorize(principal({ expiresAt: new Date(NaN) }), {}, NOW)).toEqual({
      allowed: false,
      refusal: { kind: 'expired' },
    });
  });

  it('lets an expired principal pass with allowExpired, but not without its role', () => {
    const expired = principal({ expiresAt: new Date(0), roles: new Set(['a']) });
    expect(authorize(expired, { allowExpired: true, roles: ['a'] }, NOW).allowed).toBe(true);
    expect(authorize(expired, { allowExpired: true, roles: ['b'] }, NOW).allowed).toBe(false);
  });

  it('names expiry before a missing role', () => {
    expect(authorize(principal({ expiresAt: new Date(0) }), { roles: ['a'] }, NOW)).toMatchObject({
      refusal: { kind: 'expired' },
    });
  });
});

describe('authError', () => {
  const refusals: Refusal[] = [
    { kind: 'expired' },
    { kind: 'missing-role', anyOf: ['secret-role'] },
    { kind: 'missing-permission', missing: ['secret-permission'] },
  ];

  it('tells expiry from a refusal by its code', () => {
    expect(refusals.map((refusal) => authError(refusal).code)).toEqual(['TOKEN_EXPIRED', 'FORBIDDEN', 'FORBIDDEN']);
  });

  it.each(refusals)('keeps the names of what was missing to itself: $kind', (refusal) => {
    expect(authError(refusal).message).toMatch(/^(?!.*secret)\S.*\.$/);
  });
});
