import { isOffset, isStreamPosition, type Retention, type StreamPosition } from './history.js';
import type { RealtimeMessage } from '../message/message.js';
import type { Problem } from '../base/problem.js';

/** Most characters of an idempotency key. */
const MAX_KEY_LENGTH = 128;

/**
 * Which publications are wanted.
 * @publicApi
 */
export interface HistoryOptions {
  /** Most publications; 0 asks for the position alone. Default 100. */
  readonly limit?: number;
  /** Those behind it; in reverse, those before it. Default: from the oldest, or, in reverse, from the latest. */
  readonly since?: StreamPosition;
  /** The latest first. Default false. */
  readonly reverse?: boolean;
}

/**
 * A part of a topic's history, and where it stands.
 * @publicApi
 */
export interface TopicHistory extends StreamPosition {
  readonly publications: readonly (RealtimeMessage & { readonly offset: number })[];
}

/** What is wrong with a wish for publications. */
export function explainHistoryOptions({ limit, since, reverse }: HistoryOptions): readonly Problem[] {
  const problems: Problem[] = [];
  if (limit !== undefined && !isOffset(limit))
    problems.push({ at: 'limit', message: 'must be a whole number, 0 or more' });
  if (since !== undefined && !isStreamPosition(since)) {
    problems.push({ at: 'since', message: 'must be an object { epoch, offset }, as a report or a history has them' });
  }
  if (reverse !== undefined && typeof reverse !== 'boolean') {
    problems.push({ at: 'reverse', message: 'must be true or false' });
  }
  return problems;
}

/** What is wrong with an idempotency key; `retention` is how the topic keeps its history, if it does. */
export function explainIdempotencyKey(key: unknown, retention: Retention | undefined): readonly Problem[] {
  if (key === undefined) return [];
  const at = 'idempotencyKey';
  if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY_LENGTH) {
    return [{ at, message: `must be a string of 1 to ${MAX_KEY_LENGTH} characters` }];
  }
  return retention ? [] : [{ at, message: 'works only for a topic that keeps a history' }];
}
