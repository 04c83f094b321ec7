import type { Publication } from '../../core/history/history.js';

/** A part of a history that fits one answer. */
export interface FittingPage {
  readonly publications: readonly Publication[];
  /** True if there are further publications. */
  readonly more: boolean;
}

/** Bytes of a publication's frame and its offset beside the text. */
const OVERHEAD_BYTES = 32;

/**
 * Limits a page of a history by number and by bytes. It holds at least one publication, whatever its size.
 * @param publications one more than `limit`, if there are as many
 */
export function fittingPage(publications: readonly Publication[], limit: number, maxBytes: number): FittingPage {
  let bytes = 0;
  let count = 0;
  for (const { text } of publications) {
    bytes += Buffer.byteLength(text) + OVERHEAD_BYTES;
    if (count === limit || (count > 0 && bytes > maxBytes)) break;
    count += 1;
  }
  return { publications: publications.slice(0, count), more: count < publications.length };
}
