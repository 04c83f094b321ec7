import type { Publication, StreamPosition } from './history.js';

/** A part of a stream without gaps: everything after one offset that is still kept, up to another. */
export interface PublicationRun {
  readonly epoch: string;
  /** The offset after which it was read. If the first publication is not the next one, those between are no longer kept. */
  readonly after: number;
  readonly publications: readonly Publication[];
}

/** The limits of a page. */
export interface PageLimits {
  /** Maximum number of publications in one page. */
  readonly pageSize: number;
  /** Maximum size of a page; a single publication may exceed it. */
  readonly pageBytes: number;
  /** Returns the size of a publication, in bytes. */
  sizeOf(publication: Publication): number;
}

/**
 * Returns the publications of a run that follow a position; `undefined` if the run says nothing about the position.
 * Without publications, or if the first is not the next one, those in between are no longer kept.
 */
export function publicationsAfter(
  { epoch, offset }: StreamPosition,
  run: PublicationRun | undefined,
): readonly Publication[] | undefined {
  if (run === undefined || run.epoch !== epoch || offset < run.after) return undefined;
  if (offset === run.after) return run.publications;
  const first = run.publications[0]?.offset;
  if (first === undefined || offset >= run.publications.at(-1)!.offset) return undefined;
  return run.publications.slice(Math.max(0, offset - first + 1));
}

/**
 * Returns the part of a run that fits one page: at least one publication, whatever its size.
 * @param upTo no publication after this offset
 */
export function pageOf(
  publications: readonly Publication[],
  upTo: number,
  settings: PageLimits,
): readonly Publication[] {
  const { pageSize, pageBytes } = settings;
  let bytes = 0;
  let count = 0;
  for (const publication of publications) {
    if (publication.offset > upTo || count >= pageSize) break;
    bytes += settings.sizeOf(publication);
    if (count > 0 && bytes > pageBytes) break;
    count += 1;
  }
  return publications.slice(0, count);
}
