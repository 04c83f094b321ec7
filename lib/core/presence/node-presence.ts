import type { PresenceMember } from './presence.js';

/** A change of a user in a topic on one node: the user's current entry, or its removal. */
export type NodePresenceChange =
  | {
      readonly kind: 'set';
      readonly topic: string;
      readonly member: PresenceMember;
      /** The time at which the info was given, in the milliseconds of {@link NodePresence.enter}. */
      readonly since: number;
    }
  | { readonly kind: 'remove'; readonly topic: string; readonly userId: string };

/** One connection, and the info that came with it. */
interface PresentConnection {
  readonly id: string;
  readonly info: unknown;
  readonly since: number;
}

/** One user in one topic. */
interface PresentUser {
  readonly topic: string;
  readonly userId: string;
  /** The few connections of one user; the connection with the newest info comes last. */
  connections: readonly PresentConnection[];
  /** The shown info: the newest info of the present connections; without connections, the last shown info. */
  info: unknown;
  since: number;
  /** The tick at which the grace period of the last dropped connection ends. */
  until: number;
}

/**
 * Tracks the users of one node in each topic. A dropped connection has a grace period, counted in ticks and not by a clock:
 * the user stays until it is over, whatever the user's other connections do meanwhile, just as if those were on other nodes.
 * The info shown is that of the newest connection that is still present. The cost of an operation depends only on the entries
 * that it touches. Mutable; one owner changes it.
 */
export class NodePresence {
  readonly #topics = new Map<string, Map<string, PresentUser>>();
  /** Users in their grace period, ordered by its end: it is equally long for all. */
  readonly #waiting = new Set<PresentUser>();
  #now = 0;

  /** @param graceTicks the minimum number of ticks that a user stays after a connection dropped; 0: no grace period */
  constructor(private readonly graceTicks: number) {}

  /**
   * Records that a connection of the user is in the topic. Repeated calls may change the info.
   * @param info the info of the user; if omitted, the connection keeps its earlier info
   * @param since the current time, in milliseconds of any monotonic clock
   */
  enter(
    topic: string,
    userId: string,
    connectionId: string,
    info?: unknown,
    since = 0,
  ): NodePresenceChange | undefined {
    const user = this.#user(topic, userId);
    const known = user.connections.find(({ id }) => id === connectionId);
    if (known && (info === undefined || JSON.stringify(info) === JSON.stringify(known.info))) return undefined;
    const others = user.connections.filter((each) => each !== known);
    const shown = JSON.stringify(user.info);
    user.connections = [...others, { id: connectionId, info, since }];
    const statement = set(user);
    return known && JSON.stringify(user.info) === shown ? undefined : statement;
  }

  /** Records that a connection left the topic explicitly. */
  leave(topic: string, userId: string, connectionId: string): NodePresenceChange | undefined {
    return this.#take(topic, userId, connectionId, false);
  }

  /** Records that a connection dropped, and may come back. */
  drop(topic: string, userId: string, connectionId: string): NodePresenceChange | undefined {
    return this.#take(topic, userId, connectionId, this.graceTicks > 0);
  }

  /**
   * Call it periodically: one tick of the grace periods.
   * @returns the changes of those that have ended. A user stays until the change is taken from the iterator, which may be in
   * later turns; the next tick returns what is left
   */
  tick(): IterableIterator<NodePresenceChange> {
    this.#now += 1;
    return this.#ended();
  }

  *#ended(): IterableIterator<NodePresenceChange> {
    for (const user of this.#waiting) {
      if (user.until > this.#now) break;
      this.#waiting.delete(user);
      if (user.connections.length === 0) yield this.#forget(user);
    }
  }

  #user(topic: string, userId: string): PresentUser {
    const known = this.#topics.get(topic)?.get(userId);
    if (known) return known;
    const user: PresentUser = { topic, userId, connections: [], info: undefined, since: 0, until: 0 };
    const users = this.#topics.get(topic);
    if (users) users.set(userId, user);
    else this.#topics.set(topic, new Map([[userId, user]]));
    return user;
  }

  #take(topic: string, userId: string, connectionId: string, hasGrace: boolean): NodePresenceChange | undefined {
    const user = this.#topics.get(topic)?.get(userId);
    if (!user?.connections.some(({ id }) => id === connectionId)) return undefined;
    user.connections = user.connections.filter(({ id }) => id !== connectionId);
    if (hasGrace) {
      // The current tick does not count.
      user.until = this.#now + this.graceTicks + 1;
      this.#waiting.delete(user);
      this.#waiting.add(user);
    }
    if (user.connections.length > 0 || this.#waiting.has(user)) return set(user);
    return this.#forget(user);
  }

  #forget(user: PresentUser): NodePresenceChange {
    const { topic, userId } = user;
    const users = this.#topics.get(topic)!;
    users.delete(userId);
    if (users.size === 0) this.#topics.delete(topic);
    return { kind: 'remove', topic, userId };
  }
}

function set(user: PresentUser): NodePresenceChange {
  const { topic, userId, connections } = user;
  const newest = connections.findLast(({ info }) => info !== undefined);
  if (newest) ({ info: user.info, since: user.since } = newest);
  const { info, since } = user;
  const member = { userId, ...(info !== undefined && { info }), connections: connections.length };
  return { kind: 'set', topic, member, since };
}
