import type { Find, News, RunRecord } from './record.js';

/** Joins and leaves of a user alternate for each watcher, and in the end everybody sees those who are there. */
export function checkPresence(
  { news, present, pictures }: Pick<RunRecord, 'news' | 'present' | 'pictures'>,
  find: Find,
): void {
  const last = new Map<string, Map<string, News['kind']>>();
  for (const { visit, kind, userId, at } of news) {
    if (kind === 'reset' || userId === undefined) {
      last.delete(visit);
      continue;
    }
    const known = last.get(visit) ?? new Map<string, News['kind']>();
    last.set(visit, known);
    if (known.get(userId) === kind) find('told twice', `${visit}: ${kind} ${userId}`, at);
    known.set(userId, kind);
  }
  for (const { seenBy, topic, users } of pictures) {
    const there = new Set(present.get(topic));
    const seen = new Set(users);
    for (const userId of seen) if (!there.has(userId)) find('ghost', `${userId} in ${topic}, seen by ${seenBy}`);
    for (const userId of there)
      if (!seen.has(userId)) find('missing member', `${userId} in ${topic}, not seen by ${seenBy}`);
  }
}
