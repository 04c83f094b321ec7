/** The public information about a user. */
export interface Person {
  readonly userId: string;
  readonly name: string;
}

const NAMES = new Map([
  ['alice', 'Alice Archer'],
  ['bob', 'Bob Baker'],
  ['carol', 'Carol Clark'],
]);

/** A real application asks its database. */
export function personOf(userId: string): Person {
  return { userId, name: NAMES.get(userId) ?? userId };
}
