/** For how long the position of a topic is kept at least after its last use, in milliseconds. */
export const POSITION_LIFE_MS = 86_400_000;

/** A term and the number of a generation. */
const FORM = /^(.+)-(\d+)$/;

/**
 * The epoch of every topic that has no position: nothing was published to it yet, or its position has expired. It is computed,
 * not stored, so that subscribing to or reading any number of such topics costs a store nothing. The first publication makes it
 * the epoch of the topic's stream.
 *
 * No epoch returns for a second life of a topic: a generation lasts no longer than a position is kept after the stream began.
 *
 * @param term names the life of the store: another one whenever something that was counted may have been lost
 * @param topic tells the epochs of topics apart, so that a client's position in one is not taken for one in another
 * @param now the store's time in milliseconds
 */
export function unpublishedEpoch(term: string, topic: string, now: number): string {
  return `${term}-${topicTag(topic)}-${Math.floor(now / POSITION_LIFE_MS)}`;
}

/** A hash of a topic's name, as at most seven letters and digits (32-bit FNV-1a over its UTF-16 units). */
export function topicTag(topic: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < topic.length; at++) hash = Math.imul(hash ^ topic.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}

/**
 * True when the second epoch is of the generation after the first, in the same term. Offset 0 is then the same place in both: a
 * position outlives a generation, so nothing can have been published and forgotten between.
 */
export function isNextGeneration(earlier: string, later: string): boolean {
  const [, term, generation] = FORM.exec(earlier) ?? [];
  return term !== undefined && later === `${term}-${Number(generation) + 1}`;
}
