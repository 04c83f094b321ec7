import type { PresenceMember } from './presence.js';

/** What a node has to say about a user in a topic: what it has of the user now, or that it has nothing any more. */
export type NodePresenceChange =
  | { readonly kind: 'set'; readonly topic: string; readonly member: PresenceMember }
  | { readonly kind: 'remove'; readonly topic: string; readonly userId: string };

/** One user in one topic. */
interface Attendee {
  readonly topic: string;
  readonly userId: string;
  /** Few: those of one user. */
  connections: readonly string[];
  info: unknown;
  /** The tick at which a user without connections is waited for no longer. */
  until: number;
}

/**
 * Who of a node's users is in which topic, and for how long somebody is waited for whose last connection has dropped: a time
 * that is counted in ticks, and not by a clock. Of each change it says what others have to know; a user's info only when it
 * is said anew, for somewhere else something newer may have been said. Every operation costs what it touches. Changed in place by its one owner.
 */
export class NodePresence {
  readonly #topics = new Map<string, Map<string, Attendee>>();
  /** Those without a connection, in the order in which their time ends: it is equally long for all. */
  readonly #waiting = new Set<Attendee>();
  #now = 0;

  /** @param graceTicks for how many ticks, at least, a dropped connection is waited for; 0: not at all */
  constructor(private readonly graceTicks: number) {}

  /**
   * A connection of the user is in the topic; it may be said again, with another info.
   * @param info what is shown of the user; left out, it stays as it is
   */
  enter(topic: string, userId: string, connectionId: string, info?: unknown): NodePresenceChange | undefined {
    const attendee = this.#attendee(topic, userId);
    const isKnown = attendee.connections.includes(connectionId);
    const isTold = isKnown && (info === undefined || JSON.stringify(info) === JSON.stringify(attendee.info));
    if (isTold) return undefined;
    this.#waiting.delete(attendee);
    if (!isKnown) attendee.connections = [...attendee.connections, connectionId];
    if (info !== undefined) attendee.info = info;
    return set(attendee, info);
  }

  /** A connection is in the topic no longer, for it was meant to leave: nobody is waited for. */
  leave(topic: string, userId: string, connectionId: string): NodePresenceChange | undefined {
    return this.#take(topic, userId, connectionId, 0);
  }

  /** A connection is gone, and may come back. */
  drop(topic: string, userId: string, connectionId: string): NodePresenceChange | undefined {
    return this.#take(topic, userId, connectionId, this.graceTicks);
  }

  /** To be called at a steady pace. */
  tick(): readonly NodePresenceChange[] {
    this.#now += 1;
    const statements: NodePresenceChange[] = [];
    for (const attendee of this.#waiting) {
      if (attendee.until > this.#now) break;
      statements.push(this.#forget(attendee));
    }
    return statements;
  }

  #attendee(topic: string, userId: string): Attendee {
    const known = this.#topics.get(topic)?.get(userId);
    if (known) return known;
    const attendee: Attendee = { topic, userId, connections: [], info: undefined, until: 0 };
    const attendees = this.#topics.get(topic);
    if (attendees) attendees.set(userId, attendee);
    else this.#topics.set(topic, new Map([[userId, attendee]]));
    return attendee;
  }

  #take(topic: string, userId: string, connectionId: string, graceTicks: number): NodePresenceChange | undefined {
    const attendee = this.#topics.get(topic)?.get(userId);
    if (!attendee?.connections.includes(connectionId)) return undefined;
    attendee.connections = attendee.connections.filter((id) => id !== connectionId);
    if (attendee.connections.length > 0) return set(attendee);
    if (graceTicks === 0) return this.#forget(attendee);
    // The tick that is under way does not count.
    attendee.until = this.#now + graceTicks + 1;
    this.#waiting.add(attendee);
    return set(attendee);
  }

  #forget(attendee: Attendee): NodePresenceChange {
    const { topic, userId } = attendee;
    this.#waiting.delete(attendee);
    const attendees = this.#topics.get(topic)!;
    attendees.delete(userId);
    if (attendees.size === 0) this.#topics.delete(topic);
    return { kind: 'remove', topic, userId };
  }
}

function set({ topic, userId, connections }: Attendee, info?: unknown): NodePresenceChange {
  const member = { userId, ...(info !== undefined && { info }), connections: connections.length };
  return { kind: 'set', topic, member };
}
