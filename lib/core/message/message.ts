import type { Problem } from '../base/problem.js';
import { stringifyWhole } from './lost-in-json.js';

/** A message as clients receive it: `{ type, payload, timestamp }`. */
export interface RealtimeMessage<P = unknown> {
  /** Name of the event, such as `order.created`. Types that start with `realtime:` are reserved for the package. */
  readonly type: string;
  /** Any value that JSON represents as a whole: no Map, Set, BigInt, NaN or function at any depth. */
  readonly payload?: P;
  /** ISO 8601 in UTC with milliseconds, as from `Date.prototype.toISOString()`. Default: the time of the send. */
  readonly timestamp?: string;
}

/** Prefix of the message types of the package's own frames. */
export const RESERVED_TYPE_PREFIX = 'realtime:';

/** Maximum length of a message type, in characters. */
export const MAX_TYPE_LENGTH = 255;

const TIMESTAMP = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** Returns a complete message with the three fields only; `now` is its timestamp if the input has none. */
export function createMessage<P>(
  { type, payload, timestamp }: RealtimeMessage<P>,
  now: string,
): RealtimeMessage<P> & { readonly timestamp: string } {
  return { type, ...(payload !== undefined && { payload }), timestamp: timestamp ?? now };
}

/** Returns the problems of a message type. */
export function explainMessageType(value: unknown): readonly Problem[] {
  if (typeof value !== 'string' || value.length === 0) return [{ at: 'type', message: 'must be a non-empty string' }];
  if (value.length > MAX_TYPE_LENGTH) {
    return [{ at: 'type', message: `must have at most ${MAX_TYPE_LENGTH} characters, got ${value.length}` }];
  }
  if (value.startsWith(RESERVED_TYPE_PREFIX)) {
    return [
      { at: 'type', message: `must not start with "${RESERVED_TYPE_PREFIX}", which is reserved for the package` },
    ];
  }
  return [];
}

/** Returns the problems of a value that should be a message; an empty list if it is valid. {@link stringifyMessage} checks the payload. */
export function explainMessage(value: unknown): readonly Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ at: 'message', message: 'must be an object { type, payload?, timestamp? }' }];
  }
  const { type, timestamp } = value as Record<string, unknown>;
  const problems = [...explainMessageType(type)];
  if (timestamp !== undefined && !(typeof timestamp === 'string' && TIMESTAMP.test(timestamp))) {
    problems.push({
      at: 'timestamp',
      message: 'must be a string like "2026-01-31T12:00:00.000Z" (date.toISOString())',
    });
  }
  return problems;
}

/** True for a well-formed message. */
export function isMessage(value: unknown): value is RealtimeMessage {
  return explainMessage(value).length === 0;
}

/** The message as JSON text, or the reason why its payload cannot be serialised. */
export type MessageText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem; readonly cause?: unknown };

/**
 * Serialises a message once for all its recipients. The fields are in the order `type`, `payload`, `timestamp`;
 * `timestamp` is last, so that a codec can add fields to the text without parsing it.
 *
 * Refuses payloads for which `JSON.stringify` throws (a cycle, a throwing `toJSON`), and payloads of which it would silently
 * lose something at any depth; see `lostInJson()`. The problem names the place, such as `payload.items[2].tags`. `type` and
 * `timestamp` are not checked here; see {@link explainMessage}.
 */
export function stringifyMessage(message: RealtimeMessage, timestamp: string): MessageText {
  try {
    // One call: V8 keeps a concatenated string as a tree of its parts, which takes more than twice the memory in a history.
    const { text, loss } = stringifyWhole(createMessage(message, timestamp));
    if (loss === undefined) return { ok: true, text: text! };
    const problem = { at: loss.path.slice(1), message: `cannot be serialised as JSON: it is ${loss.what}` };
    return { ok: false, problem };
  } catch (cause) {
    return {
      ok: false,
      problem: { at: 'payload', message: `cannot be serialised as JSON: ${reasonOf(cause)}` },
      cause,
    };
  }
}

/** Returns the first line of the error message; a `toJSON` may throw any value. */
function reasonOf(cause: unknown): string {
  const text: unknown = cause instanceof Error ? cause.message : undefined;
  return (typeof text === 'string' && text.split('\n', 1)[0]) || 'it throws during serialisation';
}
