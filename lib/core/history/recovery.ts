import type { Publication, StreamPosition } from './history.js';
import { isNextGeneration } from './unpublished-epoch.js';

/** What became of a client's wish to have what it has missed: all of it, or the plain word that it cannot be had. */
export type Recovery =
  { readonly recovered: true; readonly publications: readonly Publication[] } | { readonly recovered: false };

/** Where something that arrives stands, seen from where everything before it has been delivered. */
export type Place =
  /** The very next one. */
  | 'next'
  /** It was delivered before. */
  | 'known'
  /** Something between is missing, or the stream is another one. */
  | 'beyond';

const LOST: Recovery = { recovered: false };

/**
 * What a client that has everything up to `asked` has missed, when the stream stands at `top`. It is all or nothing.
 * @param known publications of the stream's present epoch, in their order; what the client has, and what is missing, are found out here
 */
export function recover(asked: StreamPosition, known: readonly Publication[], top: StreamPosition): Recovery {
  if (asked.epoch !== top.epoch || asked.offset > top.offset) return LOST;
  const missed = known.filter(({ offset }) => offset > asked.offset && offset <= top.offset);
  return isRun(missed, asked.offset, top.offset) ? { recovered: true, publications: missed } : LOST;
}

/**
 * Translates a position into the present epoch where both are the same place: an empty epoch stands for the present one, and the
 * beginning of a topic without publications stays its beginning in the next generation. Any other position is returned as it is.
 */
export function inEpoch(position: StreamPosition, epoch: string): StreamPosition {
  const isSamePlace =
    position.epoch === '' ||
    (position.offset === 0 && position.epoch !== epoch && isNextGeneration(position.epoch, epoch));
  return isSamePlace ? { epoch, offset: position.offset } : position;
}

/** The gap check: where an arrival stands. */
export function placeOf(arrival: StreamPosition, delivered: StreamPosition): Place {
  const { epoch, offset } = inEpoch(delivered, arrival.epoch);
  if (arrival.epoch !== epoch || arrival.offset > offset + 1) return 'beyond';
  return arrival.offset <= offset ? 'known' : 'next';
}

/** True when the publications are all of those behind one offset, up to another. */
export function isRun(publications: readonly Publication[], after: number, upTo: number): boolean {
  return (
    publications.length === upTo - after && publications.every(({ offset }, index) => offset === after + index + 1)
  );
}
