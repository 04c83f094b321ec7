import type { Problem } from '../base/problem.js';

/** Returns the problems of new rights for a connection: roles, permissions, or both. */
export function explainRights(rights: unknown): readonly Problem[] {
  if (typeof rights !== 'object' || rights === null) return [{ at: 'rights', message: RIGHTS_FORM }];
  const { roles, permissions } = rights as Record<string, unknown>;
  if (roles === undefined && permissions === undefined) return [{ at: 'rights', message: RIGHTS_FORM }];
  return Object.entries({ roles, permissions })
    .filter(([, names]) => names !== undefined && !isNames(names))
    .map(([at]) => ({ at, message: 'must be a list or a Set of non-empty strings' }));
}

const RIGHTS_FORM = 'must be an object with roles or permissions, each a list or a Set of names';

function isNames(value: unknown): boolean {
  if (!Array.isArray(value) && !(value instanceof Set)) return false;
  return [...(value as Iterable<unknown>)].every((name) => typeof name === 'string' && name.length > 0);
}
