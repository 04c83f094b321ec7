import { typeIn } from '../core/message/message-text.js';
import { encodeAddress } from '../core/routing/address-text.js';
import type { StreamPosition } from '../core/history/history.js';
import type { Address } from '../core/routing/address.js';
import type { MessageContent } from '../core/routing/envelope.js';
import type { Exceptions } from '../core/routing/exceptions.js';
import type { MessageFrames } from './message-frames.js';

/** A message of a topic that delivers the latest ones, or the report of a gap before those that follow. */
export interface LatestUpdate {
  /** The message; missing for a gap. */
  readonly frames?: MessageFrames;
  /** The position at which the topic continues behind a gap. */
  readonly gap?: StreamPosition;
  /** The readers that do not get it, if there are any. */
  readonly except: Exceptions | undefined;
}

/** The key of a gap: a later one replaces it. Keys of messages begin in other ways. */
export const GAP_KEY = 'gap';

/**
 * The key of a message: its own, else its type. A message that is not for everybody replaces only those that are for the same
 * connections, so that nobody loses the last one that was for them. One with a position replaces earlier ones for everybody:
 * the readers that it is not for get it from the history.
 */
export function keyOf({ text, key, position }: MessageContent, except: readonly Address[]): string {
  const name = key === undefined ? `t${typeIn(text)}` : `k${key}`;
  return except.length === 0 || position ? name : `[${except.map(encodeAddress).join()}]${name}`;
}
