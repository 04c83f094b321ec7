import type { Problem } from '../base/problem.js';
import { stringifyMessage } from '../message/message.js';
import { explainMetadata } from '../connection/connection.js';

/**
 * The application's data about a connection, by key.
 * @publicApi
 */
export type Metadata = Readonly<Record<string, unknown>>;

/** Changes of metadata by key: `null` removes a key, anything else replaces its value. */
export type MetadataPatch = Readonly<Record<string, unknown>>;

/** Maximum size of metadata that an application gives at once, as JSON, in characters. */
const MAX_JSON_LENGTH = 65_536;

const TIMESTAMP = '1970-01-01T00:00:00.000Z';

/**
 * A patch as other nodes get it: a copy, through JSON.
 * @param name the name of the value in problems
 * @returns the patch, or its problems
 */
export function readMetadataPatch(
  value: unknown,
  name = 'patch',
): { readonly patch: MetadataPatch } | { readonly problems: readonly Problem[]; readonly cause?: unknown } {
  const problems = explainMetadata(value).map(({ at, message }) => ({ at: at.replace(/^metadata/, name), message }));
  if (problems.length > 0) return { problems };
  if (!isPlain(value)) return { problems: [{ at: name, message: 'must be a plain object like { plan: "gold" }' }] };
  const entries: [string, unknown][] = [];
  let length = 0;
  for (const [key, each] of Object.entries(value as object)) {
    const json = stringifyMessage({ type: 'patch', payload: each }, TIMESTAMP);
    if (!json.ok) {
      const { at, message } = json.problem;
      return { problems: [{ at: `${name}.${key}${at.slice('payload'.length)}`, message }], cause: json.cause };
    }
    length += key.length + json.text.length - EMPTY_LENGTH;
    const { payload } = JSON.parse(json.text) as { payload?: unknown };
    if (payload !== undefined) entries.push([key, payload]);
  }
  if (length > MAX_JSON_LENGTH) {
    return {
      problems: [{ at: name, message: `must have at most ${MAX_JSON_LENGTH} characters as JSON, got ${length}` }],
    };
  }
  return { patch: Object.fromEntries(entries) };
}

/** The metadata with a patch applied. */
export function patchMetadata(metadata: Metadata, patch: MetadataPatch): Metadata {
  return Object.fromEntries(Object.entries({ ...metadata, ...patch }).filter(([key]) => patch[key] !== null));
}

const EMPTY_LENGTH = JSON.stringify({ type: 'patch', timestamp: TIMESTAMP }).length;

/** True for an object that is no instance of a class, of whichever realm. */
function isPlain(value: unknown): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
