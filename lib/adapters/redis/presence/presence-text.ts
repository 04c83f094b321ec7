import type { PresencePosition } from '../../../core/presence/presence-position.js';
import type { PresenceUpdate } from '../../../core/presence/presence-outbox.js';
import { topicText } from '../connection/redis-channels.js';
import type { PresenceChange, PresenceMember } from '../../../core/presence/presence.js';

/** A change and its topic. */
export type TopicChange = readonly [topic: string, change: PresenceChange];

/** A page of the members of a topic. */
export interface PresencePage {
  readonly at: PresencePosition;
  readonly isWhole: boolean;
  readonly users: number;
  readonly connections: number;
  /** The next cursor; `0` at the end. */
  readonly cursor: string;
  readonly members: readonly PresenceMember[];
}

/** Info as JSON; `undefined` when there is none. Throws what `JSON.stringify` throws. */
export function infoText(info: unknown): string | undefined {
  return JSON.stringify(info);
}

const MANNERS = { aloud: '+', silently: '=', leaving: '~', again: '!' } as const;

/**
 * Encodes an update as arguments of the script. The info of a member is its JSON text here.
 * @param now the current time in milliseconds, by the clock of the update's `since`
 */
export function wordsOf({ topic, userId, member, since, manner }: PresenceUpdate, now: number): readonly string[] {
  const start = [topicText(topic), JSON.stringify(userId)];
  if (member === undefined) return [...start, '-', '0', '0', ''];
  const info = (member.info ?? '') as string;
  return [...start, MANNERS[manner], `${member.connections}`, `${Math.max(0, Math.round(now - since))}`, info];
}

/** Parses the changes that a script returns: kind, topic, user id and info, in turn. Malformed entries are skipped. */
export function changesIn(reply: unknown): TopicChange[] {
  const changes: TopicChange[] = [];
  for (const [kind, ...texts] of entriesIn(reply)) {
    if (kind !== 'joined' && kind !== 'left' && kind !== 'updated') continue;
    const user = userIn(texts);
    if (user) changes.push([user[0], { kind, userId: user[1], ...infoIn(texts[2]) }]);
  }
  return changes;
}

/** Parses the users whose report a script has ignored, as `gone`, among the changes that it returns. Malformed entries are skipped. */
export function goneIn(reply: unknown): (readonly [topic: string, userId: string])[] {
  return entriesIn(reply).flatMap(([kind, ...texts]) => {
    const user = kind === 'gone' ? userIn(texts) : undefined;
    return user ? [user] : [];
  });
}

/** Parses the incarnations that a script has declared dead, or whose entries it has ended, among the changes that it returns. */
export function incarnationsIn(reply: unknown, kind: 'dead' | 'ended'): string[] {
  return entriesIn(reply).flatMap(([found, name]) => (found === kind ? [String(name)] : []));
}

/** The entries of a reply, which are four texts each. */
function entriesIn(reply: unknown): (readonly [kind: unknown, topic: unknown, userId: unknown, info: unknown])[] {
  const texts: unknown[] = Array.isArray(reply) ? reply : [];
  return Array.from({ length: Math.floor(texts.length / 4) }, (_, n) => {
    const [kind, topic, userId, info] = texts.slice(4 * n, 4 * n + 4);
    return [kind, topic, userId, info] as const;
  });
}

function userIn([named, user]: readonly unknown[]): readonly [topic: string, userId: string] | undefined {
  const [topic, userId] = [parse(`"${String(named)}"`), parse(user)];
  return typeof topic === 'string' && typeof userId === 'string' ? [topic, userId] : undefined;
}

/** Parses a page of the members of a topic, as returned by the script. Malformed entries are skipped. */
export function pageIn(reply: unknown): PresencePage {
  const [epoch, isWhole, sequence, users, connections, cursor, entries] = reply as readonly unknown[];
  const texts: unknown[] = Array.isArray(entries) ? entries : [];
  const members: PresenceMember[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) {
    const userId = parse(texts[i]);
    const [, count, info] = /^\d+ (\d+) \d+ ([^]*)$/.exec(String(texts[i + 1])) ?? [];
    if (typeof userId !== 'string' || count === undefined) continue;
    members.push({ userId, ...infoIn(info), connections: Number(count) });
  }
  return {
    at: { epoch: String(epoch), sequence: Number(sequence) },
    isWhole: isWhole === '1',
    users: Number(users),
    connections: Number(connections),
    cursor: String(cursor),
    members,
  };
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
