import { explainMessageType } from '../message/message.js';
import { RETENTION_LIMITS, type Retention } from './history.js';
import type { StreamName } from './stream-piece.js';

/** One run of a published stream, as the node that runs it registers it with the others. */
export interface StreamRun extends StreamName {
  readonly topic: string;
  /** The node that runs it. */
  readonly node: string;
  /** Tells this run from others of the same id. */
  readonly nonce: string;
  readonly retention: Retention;
}

/** Returns what is registered of a run: JSON that {@link readStreamRun} reads. */
export function streamInfo({ node, nonce, type, retention: { size, ttlMs } }: StreamRun): unknown {
  return { node, nonce, type, size, ttlMs };
}

/** Reads the registration of a run. @returns nothing if it is none: the run was claimed, but never began */
export function readStreamRun(topic: string, id: string, info: unknown): StreamRun | undefined {
  if (typeof info !== 'object' || info === null) return undefined;
  const { node, nonce, type, size, ttlMs } = info as Record<string, unknown>;
  if (!isName(node) || !isName(nonce) || explainMessageType(type).length > 0) return undefined;
  if (!isWithin(size, RETENTION_LIMITS.size) || !isWithin(ttlMs, RETENTION_LIMITS.ttlMs)) return undefined;
  return { topic, id, node, nonce, type: type as string, retention: { size, ttlMs } };
}

/** Returns the idempotency key of a publication: whatever is published under it first takes its place. */
export function streamKey({ id, nonce }: StreamRun, place: number | 'end'): string {
  return `stream:${id}:${nonce}:${place}`;
}

/** The alphabet of `IdGenerator`, of which nodes and runs are named. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
}

function isWithin(value: unknown, { min, max }: { readonly min: number; readonly max: number }): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}
