import { isOffset, isStreamPosition, type Retention, type StreamPosition } from './history.js';
import type { RealtimeMessage } from '../message/message.js';
import type { Problem } from '../base/problem.js';

/** Maximum length of an idempotency key, in characters. */
const MAX_KEY_LENGTH = 128;

/**
 * Selects publications of a topic's history.
 * @publicApi
 */
export interface HistoryOptions {
  /** Maximum number of publications; 0 reads only the position. Default 100. */
  readonly limit?: number;
  /** Reads publications after this position, or before it in reverse. Default: from the oldest, or from the latest in reverse. */
  readonly since?: StreamPosition;
  /** Returns the latest first. Default false. */
  readonly reverse?: boolean;
}

/**
 * A part of a topic's history, with the position of the topic's latest publication.
 * @publicApi
 */
export interface TopicHistory extends StreamPosition {
  readonly publications: readonly (RealtimeMessage & { readonly offset: number })[];
}

/** Returns the problems of history options. */
export function explainHistoryOptions({ limit, since, reverse }: HistoryOptions): readonly Problem[] {
  const problems: Problem[] = [];
  if (limit !== undefined && !isOffset(limit))
    problems.push({ at: 'limit', message: 'must be a whole number, 0 or more' });
  if (since !== undefined && !isStreamPosition(since)) {
    problems.push({
      at: 'since',
      message: 'must be an object { epoch, offset }, as in a delivery report or a history',
    });
  }
  if (reverse !== undefined && typeof reverse !== 'boolean') {
    problems.push({ at: 'reverse', message: 'must be true or false' });
  }
  return problems;
}

/** Returns the problems of an idempotency key; `retention` is that of the topic, if it keeps a history. */
export function explainIdempotencyKey(key: unknown, retention: Retention | undefined): readonly Problem[] {
  if (key === undefined) return [];
  const at = 'idempotencyKey';
  if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY_LENGTH) {
    return [{ at, message: `must be a string of 1 to ${MAX_KEY_LENGTH} characters` }];
  }
  return retention ? [] : [{ at, message: 'works only for a topic that keeps a history' }];
}
