import type { Problem } from '../base/problem.js';
import { stringifyMessage } from '../message/message.js';
import { explainMetadata } from '../connection/connection.js';

/** Changes of metadata by key: `null` removes a key, anything else replaces its value. */
export type MetadataPatch = Readonly<Record<string, unknown>>;

/**
 * A patch as other nodes get it, through JSON.
 * @returns the patch, or what is wrong with it and where
 */
export function readMetadataPatch(
  value: unknown,
): { readonly patch: MetadataPatch } | { readonly problems: readonly Problem[]; readonly cause?: unknown } {
  const problems = explainMetadata(value).map(({ at, message }) => ({ at: at.replace(/^metadata/, 'patch'), message }));
  if (problems.length > 0) return { problems };
  const json = stringifyMessage({ type: 'patch', payload: value }, '1970-01-01T00:00:00.000Z');
  if (json.ok) return { patch: (JSON.parse(json.text) as { payload: MetadataPatch }).payload };
  const { at, message } = json.problem;
  return { problems: [{ at: at.replace(/^payload/, 'patch'), message }], cause: json.cause };
}

/** The metadata with a patch applied. */
export function patchMetadata(
  metadata: Readonly<Record<string, unknown>>,
  patch: MetadataPatch,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries({ ...metadata, ...patch }).filter(([, value]) => value !== null));
}
