/** One user who is in a topic. */
export interface PresenceMember {
  readonly userId: string;
  /** The application's info about the user, a JSON value: a name, an avatar. */
  readonly info?: unknown;
  /** Number of the user's connections in the topic; 0 during the grace period of a dropped connection. */
  readonly connections: number;
}

/**
 * A user joined a topic (the first connection), left it (the last one), or has another info: from a newer connection,
 * or set by the application.
 */
export interface PresenceChange {
  readonly kind: 'joined' | 'left' | 'updated';
  readonly userId: string;
  readonly info?: unknown;
}

/** Returns a change of a user; without an info it has no such field. */
export function changeOf(kind: PresenceChange['kind'], userId: string, info: unknown): PresenceChange {
  return { kind, userId, ...(info !== undefined && { info }) };
}

/** The counts of a topic's members, over all nodes. */
export interface PresenceCounts {
  readonly topic: string;
  /** Number of users in the topic, however many of them are listed. */
  readonly userCount: number;
  /** Number of connections that these users have in the topic. */
  readonly connectionCount: number;
}

/** The members of a topic, over all nodes: the same shape in TypeScript and in the plain protocol's `realtime:presence`. */
export interface Presence extends PresenceCounts {
  /** Each user once, in no particular order; the list may be limited, the counts are exact. */
  readonly users: readonly PresenceMember[];
}
