import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisConnection, type RedisClient } from './redis-connection.js';

/** The longest pauses, one after the other, in milliseconds. */
const LONGEST = [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000];

beforeEach(() => {
  collectLogs();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A connection to a server that refuses every attempt, but for those that are named; and when attempts were made. */
function start(isTaken: (attempt: number) => boolean = () => false) {
  const attempts: number[] = [];
  let cut = () => {};
  const create = () =>
    ({
      on: (event: string, listener: (error: Error) => void) => {
        if (event === 'error') cut = () => listener(new Error('cut'));
      },
      destroy: () => undefined,
      connect: async () => {
        if (!isTaken(attempts.push(Date.now()))) throw new Error('refused');
      },
    }) as never as RedisClient;
  const connection = new RedisConnection(
    'Redis',
    create,
    { commandTimeoutMs: 1_000, maxPendingCommands: 1 },
    { setUp: () => undefined, changed: () => undefined },
  );
  connection.open().catch(() => undefined);
  const pauses = () => attempts.slice(1).map((at, index) => at - attempts[index]!);
  return { connection, pauses, cut: () => cut() };
}

describe('the pauses between attempts to connect', () => {
  it.each([0.25, 0.5, 0.99])('are at random up to twice as long each time, and 5 s at most: %f of it', async (part) => {
    vi.spyOn(Math, 'random').mockReturnValue(part);
    const { connection, pauses } = start();
    await vi.advanceTimersByTimeAsync(20_000);
    connection.close();
    const expected = LONGEST.map((longestMs) => Math.floor(longestMs * part));
    expect(pauses().slice(0, expected.length)).toEqual(expected);
  });

  it('are short again when it was connected for a second', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { connection, pauses, cut } = start((attempt) => attempt === 4);
    await vi.advanceTimersByTimeAsync(25 + 50 + 100 + 1_000);
    expect(connection.isUp).toBe(true);
    cut();
    await vi.advanceTimersByTimeAsync(100);
    connection.close();
    expect(pauses().slice(3)).toEqual([1_025, 50]);
  });

  it('go on growing when it was connected for less', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { connection, pauses, cut } = start((attempt) => attempt === 4);
    await vi.advanceTimersByTimeAsync(25 + 50 + 100);
    cut();
    await vi.advanceTimersByTimeAsync(1_000);
    connection.close();
    expect(pauses().slice(3)).toEqual([200, 400]);
  });

  it('are over when it is closed', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { connection, pauses } = start();
    await vi.advanceTimersByTimeAsync(0);
    connection.close();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(pauses()).toEqual([]);
  });
});
