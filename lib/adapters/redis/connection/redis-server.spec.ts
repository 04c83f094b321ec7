import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import type { RedisClient } from './redis-connection.js';
import { RedisServer } from './redis-server.js';

beforeEach(() => {
  collectLogs();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A server whose runs tell what they say of themselves. */
function start(first: string) {
  let info = first;
  const create = () =>
    ({
      on: () => undefined,
      destroy: () => undefined,
      connect: async () => undefined,
      sendCommand: async () => info,
    }) as never as RedisClient;
  const settings = { commandTimeoutMs: 1_000, maxPendingCommands: 10 } as never;
  const server = new RedisServer('server', false, create, settings, {
    restore: async () => undefined,
    changed: () => undefined,
    moved: () => undefined,
  });
  return {
    server,
    /** It is connected again, and says this of itself. */
    reconnect: async (next: string) => {
      info = next;
      server.commands.restart('the test wants it');
      await vi.advanceTimersByTimeAsync(100);
    },
  };
}

function infoOf(runId: string, uptimeSeconds: number): string {
  return `run_id:${runId}\r\nuptime_in_seconds:${uptimeSeconds}\r\n`;
}

describe('the time by which a server had started', () => {
  it('is not known before it was asked', () => {
    expect(start('').server.startedBy).toBe(Infinity);
  });

  it('follows from its uptime', async () => {
    const { server } = start(infoOf('a', 100));
    await server.open();
    expect(server.startedBy).toBe(performance.now() - 98_900);
    server.close();
  });

  it('does not become later while it is the same run', async () => {
    const { server, reconnect } = start(infoOf('a', 0));
    await server.open();
    const { startedBy } = server;
    await reconnect(infoOf('a', 0));
    expect(server.startedBy).toBe(startedBy);
    server.close();
  });

  it('is that of the new run when it has started again', async () => {
    const { server, reconnect } = start(infoOf('a', 100));
    await server.open();
    const { startedBy } = server;
    await reconnect(infoOf('b', 0));
    expect(server.startedBy).toBeGreaterThanOrEqual(startedBy + 98_900);
    server.close();
  });
});
