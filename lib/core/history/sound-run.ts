import { isMessageText } from '../message/message-text.js';
import type { Publication } from './history.js';

/** A stored entry as it was read: anybody may have changed it. */
export interface StoredPublication {
  readonly offset: unknown;
  readonly text: unknown;
}

/**
 * Returns a run of intact publications without a gap: those after the last entry that was tampered with or, if the latest comes
 * first, those before the first such entry. To a reader, all others are as if they had expired.
 * @param top the offset of the latest publication
 * @param reverse true if the latest comes first
 * @param maxLength the length of the longest text that can have been stored
 */
export function soundRun(
  stored: readonly StoredPublication[],
  top: number,
  reverse: boolean,
  maxLength: number,
): readonly Publication[] {
  const run: Publication[] = [];
  for (const each of stored) {
    const previous = run.at(-1)?.offset;
    if (!isSound(each, top, maxLength)) {
      if (reverse) return run;
      run.length = 0;
      continue;
    }
    if (previous !== undefined && each.offset !== previous + (reverse ? -1 : 1)) {
      if (reverse) return run;
      run.length = 0;
    }
    run.push(each);
  }
  return run;
}

function isSound(each: StoredPublication, top: number, maxLength: number): each is Publication {
  const { offset, text } = each;
  if (!Number.isSafeInteger(offset) || (offset as number) < 1 || (offset as number) > top) return false;
  return typeof text === 'string' && text.length <= maxLength && isMessageText(text);
}
