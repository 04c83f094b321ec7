import { changeOf, type Presence, type PresenceChange, type PresenceMember } from './presence.js';
import { isSameInfo } from './presence-info.js';

/** The report of one holder about a user. */
interface Said {
  readonly connections: number;
  readonly info: unknown;
  /** The time at which the info was given. */
  readonly since: number;
}

/** One user in one topic, aggregated over all holders. */
interface Entry {
  /** The shown info: the newest one given by the holders or set by the application. */
  info: unknown;
  connections: number;
  readonly holders: Map<string, Said>;
  /** The info set by the application. */
  override?: Omit<Said, 'connections'>;
}

interface Room {
  readonly entries: Map<string, Entry>;
  connections: number;
}

/**
 * The members of all topics, aggregated from the reports of several holders: a user is a member as long as one holder
 * reports it, and is shown with the newest info of those holders.
 * Mutable; one owner changes it. A topic without members uses no memory.
 */
export class PresenceTable {
  readonly #rooms = new Map<string, Room>();

  /**
   * Records that a holder has the user in the topic. Omitted info stays as the holder last reported it.
   * @param since the time at which the info was given, in any unit that all holders share; default: newer than all before
   * @returns the change for others: the user has joined, if no other holder had reported it, or the shown info has changed
   */
  set(
    holder: string,
    topic: string,
    { userId, info, connections }: PresenceMember,
    since = this.#newer(topic, userId),
  ): PresenceChange | undefined {
    let room = this.#rooms.get(topic);
    if (room === undefined) this.#rooms.set(topic, (room = { entries: new Map(), connections: 0 }));
    let entry = room.entries.get(userId);
    const isNew = entry === undefined;
    if (entry === undefined) room.entries.set(userId, (entry = { info, connections: 0, holders: new Map() }));
    const before = entry.holders.get(holder);
    // The latest report moves to the end: of equally old infos it is shown.
    entry.holders.delete(holder);
    const isKept = before && (info === undefined || isSameInfo(info, before.info));
    entry.holders.set(holder, isKept ? { ...before, connections } : { connections, info, since });
    const more = connections - (before?.connections ?? 0);
    entry.connections += more;
    room.connections += more;
    return isNew ? changeOf('joined', userId, info) : show(userId, entry);
  }

  /** Records that a holder no longer has the user in the topic. @returns that the user has left, if this was the last holder, or that the shown info has changed */
  remove(holder: string, topic: string, userId: string): PresenceChange | undefined {
    const room = this.#rooms.get(topic);
    const entry = room?.entries.get(userId);
    const said = entry?.holders.get(holder);
    if (room === undefined || entry === undefined || said === undefined) return undefined;
    entry.holders.delete(holder);
    entry.connections -= said.connections;
    room.connections -= said.connections;
    if (entry.holders.size > 0) return show(userId, entry);
    room.entries.delete(userId);
    if (room.entries.size === 0) this.#rooms.delete(topic);
    return changeOf('left', userId, entry.info);
  }

  /**
   * Sets the info of a user until a newer connection provides its own, or the user leaves.
   * @param since as for {@link set}
   * @returns whether the user is in the topic, and the change
   */
  update(
    topic: string,
    userId: string,
    info: unknown,
    since = this.#newer(topic, userId),
  ): { readonly isThere: boolean; readonly change?: PresenceChange } {
    const entry = this.#rooms.get(topic)?.entries.get(userId);
    if (entry === undefined) return { isThere: false };
    entry.override = { info, since: Math.max(since, this.#newer(topic, userId)) };
    const change = show(userId, entry);
    return { isThere: true, ...(change && { change }) };
  }

  /** The users of a topic, with the shown info of each. */
  infosOf(topic: string): Map<string, unknown> {
    const entries = this.#rooms.get(topic)?.entries ?? [];
    return new Map([...entries].map(([userId, { info }]) => [userId, info]));
  }

  /** Removes all reports of a holder; iterates over all entries. @returns the changes, by topic */
  drop(holder: string): readonly (readonly [topic: string, change: PresenceChange])[] {
    const changes: (readonly [string, PresenceChange])[] = [];
    for (const [topic, { entries }] of this.#rooms) {
      for (const userId of entries.keys()) {
        const change = this.remove(holder, topic, userId);
        if (change) changes.push([topic, change]);
      }
    }
    return changes;
  }

  /**
   * Reads the members of a topic.
   * @param limit the maximum number of members listed; all are counted
   */
  read(topic: string, limit: number): Presence {
    const room = this.#rooms.get(topic);
    if (room === undefined) return { topic, users: [], userCount: 0, connectionCount: 0 };
    const users: PresenceMember[] = [];
    for (const [userId, { info, connections }] of room.entries) {
      if (users.length >= limit) break;
      users.push({ userId, ...(info !== undefined && { info }), connections });
    }
    return { topic, users, userCount: room.entries.size, connectionCount: room.connections };
  }

  #newer(topic: string, userId: string): number {
    const entry = this.#rooms.get(topic)?.entries.get(userId);
    if (entry === undefined) return 0;
    return Math.max(entry.override?.since ?? 0, ...[...entry.holders.values()].map(({ since }) => since)) + 1;
  }

  /** The number of topics with members. */
  get topicCount(): number {
    return this.#rooms.size;
  }
}

/** Shows the newest info. @returns the change, if the info differs */
function show(userId: string, entry: Entry): PresenceChange | undefined {
  let newest = entry.override;
  for (const said of entry.holders.values()) {
    if (said.info !== undefined && (newest === undefined || said.since >= newest.since)) newest = said;
  }
  const info = newest?.info;
  if (isSameInfo(info, entry.info)) return undefined;
  entry.info = info;
  return changeOf('updated', userId, info);
}
