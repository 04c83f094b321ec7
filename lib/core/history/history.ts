/** A place in a topic's history. Offsets of different epochs have nothing to do with each other. */
export interface StreamPosition {
  /** Names one life of the stream: another one when what was counted before may have been lost. */
  readonly epoch: string;
  /** Of the latest publication: the first one has 1, each later one 1 more; 0 when there was none yet. */
  readonly offset: number;
}

/** How much of a topic's past is kept. */
export interface Retention {
  /** Most publications that are kept. */
  readonly size: number;
  /** How long they are kept after the last one, in milliseconds. */
  readonly ttlMs: number;
}

/** How much can be kept: it is read as a whole, and trimmed in one go. */
export const RETENTION_LIMITS = {
  size: { min: 1, max: 10_000 },
  ttlMs: { min: 1_000, max: 604_800_000 },
} as const;

/** A message in a topic's history. */
export interface Publication {
  readonly offset: number;
  /** The message as JSON text, as `stringifyMessage` writes it. */
  readonly text: string;
}

/** Which publications are wanted. */
export interface HistoryRange {
  /** Most that are returned; 0 asks for the position alone. */
  readonly limit: number;
  /** Those after this offset, or, in reverse, those before it. Default: from the oldest, or, in reverse, from the latest. */
  readonly since?: number;
  /** The latest first. Default false. */
  readonly reverse?: boolean;
}

/** What a store has found: a run without a hole, and where the stream stands. */
export interface HistoryPage {
  /** Of the latest publication there ever was, whether or not it is kept. */
  readonly top: StreamPosition;
  readonly publications: readonly Publication[];
}

/** True for what may name a place in a history; clients send anything. */
export function isStreamPosition(value: unknown): value is StreamPosition {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as Record<string, unknown>;
  return isEpoch(epoch) && isOffset(offset);
}

/** Most characters of an epoch. */
const MAX_EPOCH_LENGTH = 64;

/** True for the name of an epoch: 1 to 64 letters, digits, `_` or `-`. */
export function isEpoch(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_EPOCH_LENGTH && /^[\w-]+$/.test(value);
}

/** True for a number that may be an offset. */
export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
