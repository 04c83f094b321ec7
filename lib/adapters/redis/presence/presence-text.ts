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
  const texts: unknown[] = Array.isArray(reply) ? reply : [];
  const changes: TopicChange[] = [];
  for (let i = 0; i + 3 < texts.length; i += 4) {
    const kind = texts[i];
    const topic = parse(`"${String(texts[i + 1])}"`);
    const userId = parse(texts[i + 2]);
    if (
      (kind === 'joined' || kind === 'left' || kind === 'updated') &&
      typeof topic === 'string' &&
      typeof userId === 'string'
    ) {
      changes.push([topic, { kind, userId, ...infoIn(texts[i + 3]) }]);
    }
  }
  return changes;
}

/** Parses the users whose report a script has ignored, as `gone`, among the changes that it returns. Malformed entries are skipped. */
export function goneIn(reply: unknown): [topic: string, userId: string][] {
  const texts: unknown[] = Array.isArray(reply) ? reply : [];
  const gone: [topic: string, userId: string][] = [];
  for (let i = 0; i + 3 < texts.length; i += 4) {
    if (texts[i] !== 'gone') continue;
    const topic = parse(`"${String(texts[i + 1])}"`);
    const userId = parse(texts[i + 2]);
    if (typeof topic === 'string' && typeof userId === 'string') gone.push([topic, userId]);
  }
  return gone;
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
