import type { Find, RunRecord } from './record.js';

/** How long a client may take to hear that it is closed, in milliseconds. */
const HEARD_MS = 12_000;

/** No connection that was there outlives a `disconnect()` that was reported as complete. */
export function checkOrders({ orders, stays }: RunRecord, find: Find): void {
  for (const { userId, begun, ended, complete } of orders) {
    if (!complete) continue;
    for (const { opened, closed } of stays.filter((stay) => stay.userId === userId)) {
      if (opened > begun || (closed !== undefined && closed <= ended + HEARD_MS)) continue;
      find(
        'order outlived',
        `${userId}: a connection of ${Math.round(opened)} ms, ordered to end at ${Math.round(begun)} ms`,
        begun,
      );
    }
  }
}
