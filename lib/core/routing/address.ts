import type { Problem } from '../base/problem.js';
import { explainTopic } from '../topic/topic.js';

/** The destination of a message. `id` is the user id, the role's name, the connection id or the topic's name. */
export type Address =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'role'; readonly id: string }
  | { readonly kind: 'connection'; readonly id: string }
  | { readonly kind: 'topic'; readonly id: string }
  | { readonly kind: 'all' };

/** Every connection of one user: all tabs, all devices. */
export function user(userId: string): Address {
  return { kind: 'user', id: userId };
}

/** Every connection that has the role. */
export function role(name: string): Address {
  return { kind: 'role', id: name };
}

/** One connection. An unknown or malformed id has no recipients and is not an error. */
export function connection(connectionId: string): Address {
  return { kind: 'connection', id: connectionId };
}

/** Every connection subscribed to the topic. */
export function topic(name: string): Address {
  return { kind: 'topic', id: name };
}

/** Every connection. */
export function all(): Address {
  return { kind: 'all' };
}

const NAMES = { user: 'userId', role: 'role', connection: 'connectionId', topic: 'topic' } as const;

/** Returns the problems of an address, named after the argument of its constructor; an empty list if it is valid. */
export function explainAddress(address: unknown): readonly Problem[] {
  if (typeof address !== 'object' || address === null || !('kind' in address)) {
    return [{ at: 'address', message: 'must be made by user(), role(), connection(), topic() or all()' }];
  }
  const { kind, id } = address as { kind: unknown; id?: unknown };
  switch (kind) {
    case 'all':
      return [];
    case 'topic':
      return explainTopic(id);
    case 'user':
    case 'role':
    case 'connection':
      return typeof id === 'string' && id.length > 0
        ? []
        : [{ at: NAMES[kind], message: 'must be a non-empty string' }];
    default:
      return [
        { at: 'address', message: 'has an unknown kind; make it with user(), role(), connection(), topic() or all()' },
      ];
  }
}

/** True if two addresses name the same destination. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.kind === b.kind && (a.kind === 'all' || a.id === (b as { id: string }).id);
}
