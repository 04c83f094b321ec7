import type { NodeSnapshot } from './node-snapshot.js';

/** Said by a node whose snapshot is not whole. */
const SHORTENED = 'the snapshot of this node is shortened: it does not fit into one message between nodes';

/**
 * Returns a snapshot without one of its long parts: first the texts of the messages that are watched, then these messages, then closes
 * and refusals, then the traffic, then the reasons of its health. The result says that it is shortened.
 * @returns nothing if no part is left
 */
export function shorterSnapshot(snapshot: NodeSnapshot): NodeSnapshot | undefined {
  const shorter = withoutLongest(snapshot);
  if (shorter === undefined) return undefined;
  const { status, reasons } = shorter.health;
  return reasons.includes(SHORTENED) ? shorter : { ...shorter, health: { status, reasons: [...reasons, SHORTENED] } };
}

function withoutLongest(snapshot: NodeSnapshot): NodeSnapshot | undefined {
  const { tail = [], closes, refusals, traffic, health } = snapshot;
  if (tail.some(({ text }) => text !== undefined)) {
    return { ...snapshot, tail: tail.map(({ n, at, type, bytes }) => ({ n, at, type, bytes })) };
  }
  if (tail.length > 0) return { ...snapshot, tail: [] };
  if (closes.length + refusals.length > 0) return { ...snapshot, closes: [], refusals: [] };
  if (traffic.length > 0) return { ...snapshot, traffic: [] };
  const isLong = health.reasons.some((reason) => reason !== SHORTENED);
  return isLong ? { ...snapshot, health: { ...health, reasons: [] } } : undefined;
}
