import type { Problem } from '../base/problem.js';

/** What clients receive: `{ type, payload, timestamp }`. */
export interface RealtimeMessage<P = unknown> {
  /** What happened, such as `order.created`. Types that start with `realtime:` belong to the package. */
  readonly type: string;
  /** Anything that `JSON.stringify` can carry. */
  readonly payload?: P;
  /** ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString()` gives; added when absent. */
  readonly timestamp?: string;
}

/** Message types that start so are the package's own frames. */
export const RESERVED_TYPE_PREFIX = 'realtime:';

/** Most characters a message type may have. */
export const MAX_TYPE_LENGTH = 255;

const TIMESTAMP = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** A complete message: `now` is its timestamp when the input has none, and nothing but the three fields is kept. */
export function createMessage<P>(
  { type, payload, timestamp }: RealtimeMessage<P>,
  now: string,
): RealtimeMessage<P> & { readonly timestamp: string } {
  return { type, ...(payload !== undefined && { payload }), timestamp: timestamp ?? now };
}

/** What is wrong with a message type. */
export function explainMessageType(value: unknown): readonly Problem[] {
  if (typeof value !== 'string' || value.length === 0) return [{ at: 'type', message: 'must be a non-empty string' }];
  if (value.length > MAX_TYPE_LENGTH) {
    return [{ at: 'type', message: `must have at most ${MAX_TYPE_LENGTH} characters, got ${value.length}` }];
  }
  if (value.startsWith(RESERVED_TYPE_PREFIX)) {
    return [
      { at: 'type', message: `must not start with "${RESERVED_TYPE_PREFIX}", which the package keeps for itself` },
    ];
  }
  return [];
}

/** What is wrong with a value that should be a message; an empty list when nothing is. The payload is judged by {@link stringifyMessage}. */
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

/** The message as JSON text, or what keeps JSON from carrying its payload. */
export type MessageText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem; readonly cause?: unknown };

/**
 * Serialises a message, once for all its recipients. `type`, `payload` and `timestamp` come out in that order, and
 * `timestamp` stands last, so that a codec can add fields to the text without parsing it.
 *
 * Refused: what `JSON.stringify` throws for (a BigInt, a cycle, a throwing `toJSON`), and a payload that it would
 * silently drop or empty (a function, a symbol, NaN or ±Infinity, a Map or a Set). Inside the payload the rules of
 * `JSON.stringify` hold. `type` and `timestamp` are not judged here: see {@link explainMessage}.
 */
export function stringifyMessage(message: RealtimeMessage, timestamp: string): MessageText {
  const lost = lostInJson(message.payload);
  if (lost) return { ok: false, problem: { at: 'payload', message: `cannot be carried by JSON: it is ${lost}` } };
  try {
    // In one go: a text that is put together is kept as the tree of its parts, in more than twice the memory, by a history that
    // nobody reads.
    return { ok: true, text: JSON.stringify(createMessage(message, timestamp)) };
  } catch (cause) {
    return { ok: false, problem: { at: 'payload', message: `cannot be carried by JSON: ${reasonOf(cause)}` }, cause };
  }
}

/** The first line of what was thrown, which a `toJSON` may have made of anything. */
function reasonOf(cause: unknown): string {
  const text: unknown = cause instanceof Error ? cause.message : undefined;
  return (typeof text === 'string' && text.split('\n', 1)[0]) || 'it throws while it is being serialised';
}

function lostInJson(payload: unknown): string | undefined {
  switch (typeof payload) {
    case 'function':
    case 'symbol':
      return `a ${typeof payload}`;
    case 'number':
      return Number.isFinite(payload) ? undefined : `${payload}`;
    case 'object':
      if (payload instanceof Map) return 'a Map; send Object.fromEntries(map)';
      if (payload instanceof Set) return 'a Set; send [...set]';
      return undefined;
    default:
      return undefined;
  }
}
