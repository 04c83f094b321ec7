import { isNodeId } from '../connection/connection-id.js';
import { isCount } from './count.js';
import type { NodeInfo } from './node-info.js';

/** Encodes the lease of a node, with its counts: `[version, startedAt, isAttached, counts…]`. */
export function encodeLease({ startedAt, isAttached, ...counts }: Omit<NodeInfo, 'id'>): string {
  const { connections, users, topics, subscriptions } = counts;
  return JSON.stringify([1, startedAt.getTime(), isAttached ? 1 : 0, connections, users, topics, subscriptions]);
}

/**
 * Decodes the lease of a node; `undefined` if the text is not a lease.
 * @param toDate converts milliseconds since 1970 to a date
 */
export function decodeLease(id: unknown, text: unknown, toDate: (ms: number) => Date): NodeInfo | undefined {
  if (!isNodeId(id) || typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 7 || fields[0] !== 1 || !fields.every(isCount)) return undefined;
  const [, startedAt, isAttached, connections, users, topics, subscriptions] = fields as unknown as SevenNumbers;
  return { id, startedAt: toDate(startedAt), isAttached: isAttached === 1, connections, users, topics, subscriptions };
}

/** Seven whole numbers take less. */
const MAX_LENGTH = 256;

type SevenNumbers = [number, number, number, number, number, number, number];
