import type { Presence, PresenceChange, PresenceMember } from './presence.js';

/** One user in one topic, as all who hold it say. */
interface Entry {
  /** What was said last, by whomever. */
  info: unknown;
  connections: number;
  /** How many connections each holder has said. */
  readonly holders: Map<string, number>;
}

interface Room {
  readonly entries: Map<string, Entry>;
  connections: number;
}

/**
 * Who is in which topic, put together from what several holders say: a user is there for as long as one of them says so.
 * Changed in place by its one owner; a topic without members leaves nothing behind.
 */
export class PresenceTable {
  readonly #rooms = new Map<string, Room>();

  /** A holder has the user in the topic. @returns that the user has joined, when no other holder had said so */
  set(holder: string, topic: string, { userId, info, connections }: PresenceMember): PresenceChange | undefined {
    let room = this.#rooms.get(topic);
    if (room === undefined) this.#rooms.set(topic, (room = { entries: new Map(), connections: 0 }));
    let entry = room.entries.get(userId);
    const isNew = entry === undefined;
    if (entry === undefined) room.entries.set(userId, (entry = { info, connections: 0, holders: new Map() }));
    const more = connections - (entry.holders.get(holder) ?? 0);
    entry.holders.set(holder, connections);
    if (info !== undefined) entry.info = info;
    entry.connections += more;
    room.connections += more;
    return isNew ? changeOf('joined', userId, info) : undefined;
  }

  /** A holder has the user in the topic no longer. @returns that the user has left, when it was the last to say so */
  remove(holder: string, topic: string, userId: string): PresenceChange | undefined {
    const room = this.#rooms.get(topic);
    const entry = room?.entries.get(userId);
    const connections = entry?.holders.get(holder);
    if (room === undefined || entry === undefined || connections === undefined) return undefined;
    entry.holders.delete(holder);
    entry.connections -= connections;
    room.connections -= connections;
    if (entry.holders.size > 0) return undefined;
    room.entries.delete(userId);
    if (room.entries.size === 0) this.#rooms.delete(topic);
    return changeOf('left', userId, entry.info);
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

  /** How many topics somebody is in. */
  get topicCount(): number {
    return this.#rooms.size;
  }
}

function changeOf(kind: PresenceChange['kind'], userId: string, info: unknown): PresenceChange {
  return { kind, userId, ...(info !== undefined && { info }) };
}
