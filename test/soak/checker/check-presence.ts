import type { Find, News, RunRecord } from './record.js';

/**
 * Joins and leaves of a user alternate for each watcher, infos change only between them, and in the end everybody sees those who are there.
 */
export function checkPresence(
  { news, present, pictures }: Pick<RunRecord, 'news' | 'present' | 'pictures'>,
  find: Find,
): void {
  const last = new Map<string, Map<string, News>>();
  for (const each of news) {
    const { visit, kind, userId, at } = each;
    if (kind === 'reset' || userId === undefined) {
      last.delete(visit);
      continue;
    }
    const known = last.get(visit) ?? new Map<string, News>();
    last.set(visit, known);
    const before = known.get(userId);
    if (before && isRepeated(before, each)) find('told twice', `${visit}: ${kind} ${userId}`, at);
    known.set(userId, each);
  }
  for (const { seenBy, topic, users } of pictures) {
    const there = new Set(present.get(topic));
    const seen = new Set(users);
    for (const userId of seen) if (!there.has(userId)) find('ghost', `${userId} in ${topic}, seen by ${seenBy}`);
    for (const userId of there)
      if (!seen.has(userId)) find('missing member', `${userId} in ${topic}, not seen by ${seenBy}`);
  }
}

function isRepeated(before: News, { kind, info }: News): boolean {
  if (kind === 'updated') return before.kind === 'left' || before.info === info;
  return (before.kind === 'left') === (kind === 'left');
}
