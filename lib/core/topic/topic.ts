import type { Problem } from '../base/problem.js';

/** Maximum length of a topic name, in characters; every allowed character takes one byte. */
export const MAX_TOPIC_LENGTH = 255;

/** Matches a topic name. `#` is reserved for the package; braces belong to patterns. */
const TOPIC = /^[A-Za-z0-9_.:/@-]+$/;

/**
 * Returns the problems of a topic name: it must be a string of 1 to 255 letters, digits or `_ . : / @ -`.
 * @param maxLength a limit below 255, if there is one; a higher one has no effect
 */
export function explainTopic(value: unknown, maxLength: number = MAX_TOPIC_LENGTH): readonly Problem[] {
  if (typeof value !== 'string' || value.length === 0) return [{ at: 'topic', message: 'must be a non-empty string' }];
  const limit = Math.min(maxLength, MAX_TOPIC_LENGTH);
  if (value.length > limit) {
    return [{ at: 'topic', message: `must have at most ${limit} characters, got ${value.length}` }];
  }
  if (!TOPIC.test(value)) {
    return [{ at: 'topic', message: 'may hold only letters, digits and the characters _ . : / @ -' }];
  }
  return [];
}

/** True for a valid topic name. */
export function isTopic(value: unknown): value is string {
  return explainTopic(value).length === 0;
}
