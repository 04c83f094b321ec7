/** One user who is in a topic. */
export interface PresenceMember {
  readonly userId: string;
  /** What the application shows of the user, as JSON carries it: a name, an avatar. */
  readonly info?: unknown;
  /** How many connections of the user are in the topic; 0 while a dropped one is waited for. */
  readonly connections: number;
}

/** Somebody came into a topic, or left it: the first connection of a user, or the last. */
export interface PresenceChange {
  readonly kind: 'joined' | 'left';
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
