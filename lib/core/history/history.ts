/** A position in a topic's history. Offsets of different epochs do not compare. */
export interface StreamPosition {
  /** Identifies the stream: 1 to 64 letters, digits, `_` or `-`. It changes when earlier publications or their numbering may have been lost. */
  readonly epoch: string;
  /** Offset of a publication: 1 for the first, then increasing by 1; 0 before the first. */
  readonly offset: number;
}

/** The number of publications that a topic keeps, and their lifetime. */
export interface Retention {
  /** Maximum number of publications. */
  readonly size: number;
  /** Time for which they are kept after the last publication, in milliseconds. */
  readonly ttlMs: number;
}

/** Bounds of {@link Retention}: a history is read as a whole and trimmed in one step. */
export const RETENTION_LIMITS = {
  size: { min: 1, max: 10_000 },
  ttlMs: { min: 1_000, max: 604_800_000 },
} as const;

/** A message in a topic's history. */
export interface Publication {
  readonly offset: number;
  /** The message as JSON text, as `stringifyMessage` writes it. */
  readonly text: string;
  /** The context of the span that published it, as `traceparent`, if it is traced and has just arrived. Histories do not keep it. */
  readonly trace?: string;
}

/** Selects publications of one epoch. */
export interface HistoryRange {
  /** Maximum number of publications; 0 reads only the position. */
  readonly limit: number;
  /** Reads publications after this offset, or before it in reverse. Default: from the oldest, or from the latest in reverse. */
  readonly since?: number;
  /** Returns the latest first. Default false. */
  readonly reverse?: boolean;
}

/** The result of a read: publications without a gap, and the position of the stream. */
export interface HistoryPage {
  /** Position of the latest publication, even if it is no longer kept. */
  readonly top: StreamPosition;
  readonly publications: readonly Publication[];
}

/** True for a well-formed position; the value may come from a client. */
export function isStreamPosition(value: unknown): value is StreamPosition {
  return isAskedPosition(value) && value.epoch !== '';
}

/** True for a well-formed position from which a client may ask to recover: an empty epoch stands for the current one. */
export function isAskedPosition(value: unknown): value is StreamPosition {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as Record<string, unknown>;
  return (epoch === '' || isEpoch(epoch)) && isOffset(offset);
}

/** Maximum length of an epoch, in characters. */
const MAX_EPOCH_LENGTH = 64;

/** True for a valid epoch: 1 to 64 letters, digits, `_` or `-`. */
export function isEpoch(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_EPOCH_LENGTH && /^[\w-]+$/.test(value);
}

/** True for a valid offset: a safe integer, 0 or more. */
export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
