/** Somebody who can log in. */
export interface DemoUser {
  readonly name: string;
  readonly role: 'customer' | 'admin';
}

/** The users who can log in, by name. A real application checks its database, and a password. */
export const DEMO_USERS: ReadonlyMap<string, DemoUser> = new Map<string, DemoUser>([
  ['alice', { name: 'alice', role: 'customer' }],
  ['bob', { name: 'bob', role: 'customer' }],
  ['carol', { name: 'carol', role: 'admin' }],
]);
