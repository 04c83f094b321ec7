import type { PresenceUpdate } from '../../../core/presence/presence-outbox.js';
import type { Presence, PresenceChange, PresenceMember } from '../../../core/presence/presence.js';

/** A change, and in which topic. */
export type TopicChange = readonly [topic: string, change: PresenceChange];

/** A topic as it stands in keys: JSON without the quotes, which leaves every topic of an application as it is. */
export function topicText(topic: string): string {
  return JSON.stringify(topic).slice(1, -1);
}

/** Info as JSON; `undefined` when there is none. Throws what `JSON.stringify` throws. */
export function infoText(info: unknown): string | undefined {
  return JSON.stringify(info);
}

/** What is said to the script. The info of a member is its JSON text here. */
export function wordsOf({ topic, userId, member, isInfoNew, isSilent }: PresenceUpdate): readonly string[] {
  const start = [topicText(topic), JSON.stringify(userId)];
  if (member === undefined) return [...start, '-', '0', '', ''];
  const info = (member.info ?? '') as string;
  return [...start, isSilent ? '=' : '+', `${member.connections}`, info, isInfoNew ? '1' : '0'];
}

/** What has changed of what was said, as the script answers it: places and info of who has left, in turn. */
export function changesOf(lot: readonly PresenceUpdate[], reply: readonly unknown[]): TopicChange[] {
  const changes: TopicChange[] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const saying = lot[Number(reply[i])];
    if (saying === undefined) continue;
    const { topic, userId, member } = saying;
    changes.push([topic, changeOf(member ? 'joined' : 'left', userId, member ? member.info : reply[i + 1])]);
  }
  return changes;
}

/** Who has left, as the script tells it: topic, user id and info, in turn. */
export function departuresIn(reply: unknown): TopicChange[] {
  const texts: unknown[] = Array.isArray(reply) ? reply : [];
  const changes: TopicChange[] = [];
  for (let i = 0; i + 2 < texts.length; i += 3) {
    const topic = parse(`"${String(texts[i])}"`);
    const userId = parse(texts[i + 1]);
    if (typeof topic === 'string' && typeof userId === 'string') {
      changes.push([topic, changeOf('left', userId, texts[i + 2])]);
    }
  }
  return changes;
}

/** Who is in a topic, as the script tells it. What nobody of ours can have written is left out. */
export function presenceIn(topic: string, reply: unknown): Presence {
  const [userCount, connectionCount, entries] = reply as [unknown, unknown, readonly unknown[]];
  const users = new Map<string, PresenceMember>();
  for (let i = 0; i + 1 < entries.length; i += 2) {
    const userId = parse(entries[i]);
    const [, count, info] = /^\d+ (\d+) ([^]*)$/.exec(String(entries[i + 1])) ?? [];
    if (typeof userId !== 'string' || count === undefined) continue;
    users.set(userId, { userId, ...infoIn(info), connections: Number(count) });
  }
  return {
    topic,
    users: [...users.values()],
    userCount: Number(userCount),
    connectionCount: Number(connectionCount),
  };
}

function changeOf(kind: PresenceChange['kind'], userId: string, text: unknown): PresenceChange {
  return { kind, userId, ...infoIn(text) };
}

function infoIn(text: unknown): { readonly info?: unknown } {
  const info = parse(text);
  return info === undefined ? {} : { info };
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
