import type { Publication, StreamPosition } from './history.js';
import { isNextGeneration } from './unpublished-epoch.js';

/** The result of a recovery: all missed publications, or the statement that they cannot be recovered. */
export type Recovery =
  { readonly recovered: true; readonly publications: readonly Publication[] } | { readonly recovered: false };

/** The place of an arriving publication relative to the position up to which everything was delivered. */
export type Place =
  /** The next publication. */
  | 'next'
  /** A publication that was delivered before. */
  | 'known'
  /** A publication after a gap, or of another epoch. */
  | 'beyond';

const LOST: Recovery = { recovered: false };

/**
 * Returns the publications that a client missed if it has everything up to `asked` and the stream is at `top`: all of
 * them, or none.
 * @param known publications of the current epoch, in order; they may include publications that the client has, and may
 * have gaps
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

/** Classifies an arriving publication; detects gaps and duplicates. */
export function placeOf(arrival: StreamPosition, delivered: StreamPosition): Place {
  const { epoch, offset } = inEpoch(delivered, arrival.epoch);
  if (arrival.epoch !== epoch || arrival.offset > offset + 1) return 'beyond';
  return arrival.offset <= offset ? 'known' : 'next';
}

/** True if the publications are exactly those after one offset, up to and including another. */
export function isRun(publications: readonly Publication[], after: number, upTo: number): boolean {
  return (
    publications.length === upTo - after && publications.every(({ offset }, index) => offset === after + index + 1)
  );
}
