import { describe, expect, it } from 'vitest';
import type { Publication, StreamPosition } from './history.js';
import { catchUp, placeFor, type CatchUp, type CatchUpSettings } from './catch-up.js';
import type { PublicationRun } from './publication-run.js';

const at = (offset: number, epoch = 'e1'): StreamPosition => ({ epoch, offset });
const SETTINGS: CatchUpSettings = { recoverLimit: 100, pageSize: 3, pageBytes: 1_000, sizeOf: () => 1 };

/** What was read after an offset: the publications from one to another. */
function run(after: number, from: number, to: number, epoch = 'e1'): PublicationRun {
  const publications: Publication[] = [];
  for (let offset = from; offset <= to; offset++) publications.push({ offset, text: `${offset}` });
  return { epoch, after, publications };
}

const exact = (offset: number, epoch?: string): CatchUp => ({
  at: at(offset, epoch),
  isFlexible: false,
  isLoss: false,
});

describe('the place from which a member catches up', () => {
  it.each([
    ['is where it was', { recover: at(4), last: 0 }, exact(4)],
    ['is where it was in whichever epoch', { recover: at(4, ''), last: 0 }, exact(4)],
    ['is the end without a wish', { last: 0 }, { at: at(9), isFlexible: true, isLoss: false }],
    ['is before the last ones that it wants', { last: 3 }, { at: at(6), isFlexible: true, isLoss: false }],
    ['is the beginning if it wants more', { last: 30 }, { at: at(0), isFlexible: true, isLoss: false }],
    ['is the end when it was too far back', { recover: at(3), last: 0 }, { at: at(9), isFlexible: true, isLoss: true }],
    ['is the end when it was ahead', { recover: at(10), last: 0 }, { at: at(9), isFlexible: true, isLoss: true }],
    ['is the end in another epoch', { recover: at(5, 'e0'), last: 2 }, { at: at(7), isFlexible: true, isLoss: true }],
  ])('%s', (_what, wish, expected) => {
    expect(placeFor(wish, at(9), 5)).toEqual(expected);
  });
});

describe('a member that catches up', () => {
  const step = (place: CatchUp, here: StreamPosition, runs: PublicationRun[], last = 0) => {
    const next = catchUp(place, here, last, runs, SETTINGS);
    return next.kind === 'read' ? next : { ...next, publications: next.publications.map(({ offset }) => offset) };
  };
  const page = (publications: number[], more: object) => ({ kind: 'page', isLoss: false, publications, ...more });

  it('needs a read when nothing is known', () => {
    expect(step(exact(2), at(9), [run(5, 6, 9)])).toEqual({ kind: 'read', place: exact(2) });
  });

  it('gets one page, and goes on behind it', () => {
    expect(step(exact(2), at(9), [run(2, 3, 9)])).toEqual(page([3, 4, 5], { position: at(2), next: exact(5) }));
  });

  it('joins the others at the end, and gets nothing that they do not have', () => {
    expect(step(exact(6), at(8), [run(6, 7, 20)])).toEqual(page([7, 8], { position: at(6), next: undefined }));
  });

  it('joins them at once where they are', () => {
    expect(step(exact(9), at(9), [])).toEqual(page([], { position: at(9), next: undefined }));
  });

  it('is told when the next publication is no longer kept', () => {
    const lost = { position: at(9), isLoss: true, next: undefined };
    expect(step(exact(2), at(9), [run(2, 5, 9)])).toEqual(page([], lost));
  });

  it('is told, and gets the last ones, when its epoch has ended', () => {
    const runs = [run(5, 6, 9, 'e2')];
    const lost = { position: at(7, 'e2'), isLoss: true, next: undefined };
    expect(step(exact(2), at(9, 'e2'), runs, 2)).toEqual(page([8, 9], lost));
  });

  it('begins later when it only wants the last ones, and not all of them are kept', () => {
    const place: CatchUp = { at: at(2), isFlexible: true, isLoss: false };
    expect(step(place, at(9), [run(2, 8, 9)])).toEqual(page([8, 9], { position: at(7), next: undefined }));
    expect(step(place, at(9), [run(2, 1, 0)])).toEqual(page([], { position: at(9), next: undefined }));
  });

  it('never begins behind the others', () => {
    const place: CatchUp = { at: at(2), isFlexible: true, isLoss: false };
    expect(step(place, at(5), [run(2, 8, 9)])).toEqual(page([], { position: at(5), next: undefined }));
  });
});
