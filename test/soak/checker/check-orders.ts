import type { Find, Order, RunRecord, Stay } from './record.js';

/** How long a client may take to hear that it is closed while nothing is amiss, in milliseconds. */
const HEARD_MS = 2_000;

/** A time in which an order may not have been carried out yet, or not have been noticed. */
interface Excuse {
  readonly from: number;
  readonly over: number;
}

/**
 * No connection that was there outlives a `disconnect()` that was reported as complete. A node that was away carries the order out
 * before it counts as attached again, so the time for it runs from then.
 */
export function checkOrders(record: RunRecord, find: Find): void {
  const excuses = new Map<number, readonly Excuse[]>();
  for (const order of record.orders) {
    if (!order.complete) continue;
    const { userId, begun } = order;
    for (const stay of record.stays.filter((other) => other.userId === userId && other.opened <= begun)) {
      if (!excuses.has(stay.node)) excuses.set(stay.node, excusesOf(stay.node, record));
      const deadline = deadlineOf(order, excuses.get(stay.node)!);
      if (endOf(stay) <= deadline) continue;
      find(
        'order outlived',
        `${userId}: a connection of ${Math.round(stay.opened)} ms to node ${stay.node}, ordered to end at ` +
          `${Math.round(begun)} ms, was there at ${Math.round(deadline)} ms`,
        begun,
      );
    }
  }
}

function endOf({ closed = Infinity, left = Infinity }: Stay): number {
  return Math.min(closed, left);
}

/** The end of the first time of {@link HEARD_MS} after an order in which nothing was amiss. */
function deadlineOf({ ended }: Order, excuses: readonly Excuse[]): number {
  let start = ended;
  for (const { from, over } of excuses) if (from <= start + HEARD_MS && over > start) start = over;
  return start + HEARD_MS;
}

/** The times in which a node was away or detached, and in which the run stood still; by their beginning. */
function excusesOf(node: number, { absences, attachments, stalls }: RunRecord): readonly Excuse[] {
  const changes = attachments.filter((change) => change.node === node).sort((a, b) => a.at - b.at);
  const detached = changes.flatMap(({ kind, at }, index) =>
    kind === 'detached' ? [{ from: at, over: changes[index + 1]?.at ?? Infinity }] : [],
  );
  const away = absences.filter((absence) => absence.node === node);
  return [...away, ...detached, ...stalls].sort((a, b) => a.from - b.from);
}
