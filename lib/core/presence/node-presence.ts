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
interface Attendee {
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
  readonly #topics = new Map<string, Map<string, Attendee>>();
  /** Users in their grace period, ordered by its end: it is equally long for all. */
  readonly #waiting = new Set<Attendee>();
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
    const attendee = this.#attendee(topic, userId);
    const known = attendee.connections.find(({ id }) => id === connectionId);
    if (known && (info === undefined || JSON.stringify(info) === JSON.stringify(known.info))) return undefined;
    const others = attendee.connections.filter((each) => each !== known);
    const shown = JSON.stringify(attendee.info);
    attendee.connections = [...others, { id: connectionId, info, since }];
    const statement = set(attendee);
    return known && JSON.stringify(attendee.info) === shown ? undefined : statement;
  }

  /** Records that a connection left the topic explicitly. */
  leave(topic: string, userId: string, connectionId: string): NodePresenceChange | undefined {
    return this.#take(topic, userId, connectionId, false);
  }

  /** Records that a connection dropped, and may come back. */
  drop(topic: string, userId: string, connectionId: string): NodePresenceChange | undefined {
    return this.#take(topic, userId, connectionId, this.graceTicks > 0);
  }

  /** Call it periodically: one tick of the grace periods. */
  tick(): readonly NodePresenceChange[] {
    this.#now += 1;
    const statements: NodePresenceChange[] = [];
    for (const attendee of this.#waiting) {
      if (attendee.until > this.#now) break;
      this.#waiting.delete(attendee);
      if (attendee.connections.length === 0) statements.push(this.#forget(attendee));
    }
    return statements;
  }

  #attendee(topic: string, userId: string): Attendee {
    const known = this.#topics.get(topic)?.get(userId);
    if (known) return known;
    const attendee: Attendee = { topic, userId, connections: [], info: undefined, since: 0, until: 0 };
    const attendees = this.#topics.get(topic);
    if (attendees) attendees.set(userId, attendee);
    else this.#topics.set(topic, new Map([[userId, attendee]]));
    return attendee;
  }

  #take(topic: string, userId: string, connectionId: string, hasGrace: boolean): NodePresenceChange | undefined {
    const attendee = this.#topics.get(topic)?.get(userId);
    if (!attendee?.connections.some(({ id }) => id === connectionId)) return undefined;
    attendee.connections = attendee.connections.filter(({ id }) => id !== connectionId);
    if (hasGrace) {
      // The current tick does not count.
      attendee.until = this.#now + this.graceTicks + 1;
      this.#waiting.delete(attendee);
      this.#waiting.add(attendee);
    }
    if (attendee.connections.length > 0 || this.#waiting.has(attendee)) return set(attendee);
    return this.#forget(attendee);
  }

  #forget(attendee: Attendee): NodePresenceChange {
    const { topic, userId } = attendee;
    const attendees = this.#topics.get(topic)!;
    attendees.delete(userId);
    if (attendees.size === 0) this.#topics.delete(topic);
    return { kind: 'remove', topic, userId };
  }
}

function set(attendee: Attendee): NodePresenceChange {
  const { topic, userId, connections } = attendee;
  const newest = connections.findLast(({ info }) => info !== undefined);
  if (newest) ({ info: attendee.info, since: attendee.since } = newest);
  const { info, since } = attendee;
  const member = { userId, ...(info !== undefined && { info }), connections: connections.length };
  return { kind: 'set', topic, member, since };
}
