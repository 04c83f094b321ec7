import type { Presence, PresenceChange, PresenceMember } from './presence.js';

/** What one holder says of a user. */
interface Said {
  readonly connections: number;
  readonly info: unknown;
  /** When the info was given. */
  readonly since: number;
}

/** One user in one topic, as all who hold it say. */
interface Entry {
  /** What is shown: the newest of what the holders say, and of what the application has set. */
  info: unknown;
  connections: number;
  readonly holders: Map<string, Said>;
  /** What the application has set. */
  override?: Omit<Said, 'connections'>;
}

interface Room {
  readonly entries: Map<string, Entry>;
  connections: number;
}

/**
 * Who is in which topic, put together from what several holders say: a user is there for as long as one of them says so,
 * and is shown with the newest info of those who do.
 * Changed in place by its one owner; a topic without members leaves nothing behind.
 */
export class PresenceTable {
  readonly #rooms = new Map<string, Room>();

  /**
   * A holder has the user in the topic. Info that is left out stays as the holder said it last.
   * @param since when the info was given, in any unit that all holders share; left out, it is newer than all before
   * @returns what has changed for others: the user has joined, when no other holder had said so, or another info is shown
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
    // Said last comes last: of what is equally old it is shown.
    entry.holders.delete(holder);
    const isKept = before && (info === undefined || isSame(info, before.info));
    entry.holders.set(holder, isKept ? { ...before, connections } : { connections, info, since });
    const more = connections - (before?.connections ?? 0);
    entry.connections += more;
    room.connections += more;
    return isNew ? changeOf('joined', userId, info) : show(userId, entry);
  }

  /** A holder has the user in the topic no longer. @returns that the user has left, when it was the last to say so, or that another info is shown */
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
   * Shows another info of a user until a newer connection gives its own, or the user leaves.
   * @param since as for {@link set}
   * @returns whether the user is in the topic, and what has changed
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

  /** Who is in a topic, and what is shown of each. */
  infosOf(topic: string): Map<string, unknown> {
    const entries = this.#rooms.get(topic)?.entries ?? [];
    return new Map([...entries].map(([userId, { info }]) => [userId, info]));
  }

  /** A holder has nothing any more; looks through all there is. @returns who has left which topic */
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
   * Who is in a topic.
   * @param limit most members that are listed; all are counted
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

  /** How many topics somebody is in. */
  get topicCount(): number {
    return this.#rooms.size;
  }
}

/** Shows the newest info. @returns the change, when it is another one */
function show(userId: string, entry: Entry): PresenceChange | undefined {
  let newest = entry.override;
  for (const said of entry.holders.values()) {
    if (said.info !== undefined && (newest === undefined || said.since >= newest.since)) newest = said;
  }
  const info = newest?.info;
  if (isSame(info, entry.info)) return undefined;
  entry.info = info;
  return changeOf('updated', userId, info);
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function changeOf(kind: PresenceChange['kind'], userId: string, info: unknown): PresenceChange {
  return { kind, userId, ...(info !== undefined && { info }) };
}
