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

/** Who is in a topic, over all nodes; each user once. */
export interface Presence {
  readonly members: readonly PresenceMember[];
  /** How many users there are. */
  readonly users: number;
  /** How many connections they have in the topic. */
  readonly connections: number;
}
