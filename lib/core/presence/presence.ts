/** One user who is in a topic. */
export interface PresenceMember {
  readonly userId: string;
  /** What the application shows of the user, as JSON carries it: a name, an avatar. */
  readonly info?: unknown;
  /** How many connections of the user are in the topic; 0 during the grace period of a dropped one. */
  readonly connections: number;
}

/**
 * A user joined a topic (the first connection), left it (the last one), or is shown with another info: that of a newer
 * connection, or one that the application has set.
 */
export interface PresenceChange {
  readonly kind: 'joined' | 'left' | 'updated';
  readonly userId: string;
  readonly info?: unknown;
}

/** How many are in a topic, over all nodes. */
export interface PresenceCounts {
  readonly topic: string;
  /** Number of users in the topic, however many of them are listed. */
  readonly userCount: number;
  /** Number of connections that these users have in the topic. */
  readonly connectionCount: number;
}

/** Who is in a topic, over all nodes: the same shape in TypeScript and in the plain protocol's `realtime:presence`. */
export interface Presence extends PresenceCounts {
  /** Each user once, in no particular order; the list may be limited, the counts are exact. */
  readonly users: readonly PresenceMember[];
}
