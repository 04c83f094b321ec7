import { onTestFinished, vi } from 'vitest';
import { RedisServer } from '../../lib/adapters/redis/connection/redis-server.js';

/** How many have asked for it, and not finished. */
let users = 0;
let restore = () => {};

/**
 * Has each Redis that nodes of this process connect to count as one that has been up for long, until the test has finished, or as
 * `finished` says: for tests of other things than a Redis that has just started, after which reports are incomplete for a while.
 */
export function trustNewServers(finished: (end: () => void) => void = onTestFinished): void {
  if (users++ === 0) {
    const startedBy = vi.spyOn(RedisServer.prototype, 'startedBy', 'get').mockReturnValue(-Infinity);
    restore = () => startedBy.mockRestore();
  }
  finished(() => {
    if (--users === 0) restore();
  });
}
