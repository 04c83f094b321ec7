import type { Publication, StreamPosition } from './history.js';

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

/** Where a client was, as a place in the epoch there is: who names none was in whichever that may be. */
export function inEpoch(asked: StreamPosition, epoch: string): StreamPosition {
  return asked.epoch === '' ? { epoch, offset: asked.offset } : asked;
}

/** The gap check: where an arrival stands. */
export function placeOf(arrival: StreamPosition, delivered: StreamPosition): Place {
  if (arrival.epoch !== delivered.epoch || arrival.offset > delivered.offset + 1) return 'beyond';
  return arrival.offset <= delivered.offset ? 'known' : 'next';
}

/** True when the publications are all of those behind one offset, up to another. */
export function isRun(publications: readonly Publication[], after: number, upTo: number): boolean {
  return (
    publications.length === upTo - after && publications.every(({ offset }, index) => offset === after + index + 1)
  );
}
