import type { Publication, StreamPosition } from './history.js';
import { pageOf, publicationsAfter, type PageLimits, type PublicationRun } from './publication-run.js';
import { inEpoch } from './recovery.js';

/** The start that a member asks for. */
export interface EntryWish {
  /** The position after which it lacks publications, if it requests recovery; an empty epoch stands for the current one. */
  readonly recover?: StreamPosition | undefined;
  /** The number of latest publications to begin with, if nothing is recovered. */
  readonly last: number;
}

/** The settings by which members catch up. */
export interface CatchUpSettings extends PageLimits {
  /** Maximum number of missed publications that are recovered. */
  readonly recoverLimit: number;
}

/** The place of a member that has not caught up with the stream. */
export interface CatchUp {
  /** The position after which it lacks publications. */
  readonly at: StreamPosition;
  /** True if it begins here only in order to get the latest publications, so that it may as well begin later. */
  readonly isFlexible: boolean;
  /** True if it has to be told that publications before are lost. */
  readonly isLoss: boolean;
}

/** The next step of a member. */
export type CatchUpStep =
  /** It needs a read after this place. */
  | { readonly kind: 'read'; readonly place: CatchUp }
  /** It gets a page. */
  | {
      readonly kind: 'page';
      /** The position that the publications follow. */
      readonly position: StreamPosition;
      readonly publications: readonly Publication[];
      readonly isLoss: boolean;
      /** Its next place; `undefined` if it has caught up. */
      readonly next: CatchUp | undefined;
    };

/** Returns the place from which a member catches up with the stream at `here`. */
export function placeFor({ recover, last }: EntryWish, here: StreamPosition, recoverLimit: number): CatchUp {
  const asked = recover && inEpoch(recover, here.epoch);
  if (asked === undefined) return latest(last, here, false);
  const missed = here.offset - asked.offset;
  const isWithinReach = asked.epoch === here.epoch && missed >= 0 && missed <= recoverLimit;
  return isWithinReach ? { at: asked, isFlexible: false, isLoss: false } : latest(last, here, true);
}

/**
 * Decides what a member gets next. Its pages follow each other without a gap; where that is impossible, the page says that
 * publications were lost.
 * @param here the position up to which everybody else has everything
 * @param last the number of latest publications for a member that cannot recover
 * @param runs the parts of the stream that are known
 */
export function catchUp(
  place: CatchUp,
  here: StreamPosition,
  last: number,
  runs: readonly (PublicationRun | undefined)[],
  settings: CatchUpSettings,
): CatchUpStep {
  const at = inEpoch(place.at, here.epoch);
  const again = (isLoss: boolean) => catchUp(latest(last, here, isLoss), here, last, runs, settings);
  if (at.epoch !== here.epoch || at.offset > here.offset) return again(place.isLoss || !place.isFlexible);
  if (at.offset === here.offset) return pageFrom(at, [], place, here);
  const known = firstOf(runs, (run) => publicationsAfter(at, run));
  if (known === undefined) return { kind: 'read', place: { ...place, at } };
  const first = known[0]?.offset ?? Infinity;
  if (first !== at.offset + 1 && !place.isFlexible) return again(true);
  const position = { epoch: here.epoch, offset: Math.min(first - 1, here.offset) };
  return pageFrom(position, pageOf(known, here.offset, settings), place, here);
}

function latest(last: number, { epoch, offset }: StreamPosition, isLoss: boolean): CatchUp {
  return { at: { epoch, offset: Math.max(0, offset - last) }, isFlexible: true, isLoss };
}

function pageFrom(
  position: StreamPosition,
  publications: readonly Publication[],
  { isLoss }: CatchUp,
  here: StreamPosition,
): CatchUpStep {
  const end = publications.at(-1)?.offset ?? position.offset;
  const next = { at: { epoch: here.epoch, offset: end }, isFlexible: false, isLoss: false };
  return { kind: 'page', position, publications, isLoss, next: end === here.offset ? undefined : next };
}

function firstOf<T, R>(values: readonly T[], find: (value: T) => R | undefined): R | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
