import type { StreamPosition } from './history.js';
import { isNextGeneration } from './unpublished-epoch.js';

/** The place of an arriving publication relative to the position up to which everything was delivered. */
export type Place =
  /** The next publication. */
  | 'next'
  /** A publication that was delivered before. */
  | 'known'
  /** A publication after a gap, or of another epoch. */
  | 'beyond';

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
