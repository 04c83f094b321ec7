import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { drain, type Drainable } from './drain.js';

/** A connection that is gone when the test says so, or as soon as it is asked to go. */
class FakeConnection implements Drainable {
  leave!: () => void;
  readonly gone = new Promise<void>((resolve) => (this.leave = resolve));
  askedAt: number | undefined;
  isTerminated = false;

  constructor(private readonly isPolite: boolean) {}

  retire(): void {
    this.askedAt = Date.now();
    if (this.isPolite) this.leave();
  }

  disconnect(): void {}

  terminate(): void {
    this.isTerminated = true;
  }
}

const crowd = (count: number, isPolite = true) => Array.from({ length: count }, () => new FakeConnection(isPolite));

/** Starts to drain; what is returned says whether that is over. */
function begin(sessions: FakeConnection[], timeoutMs = 30_000): { done: boolean } {
  const state = { done: false };
  const remaining = new Set<Drainable>(sessions);
  for (const session of sessions) {
    void session.gone.then(() => remaining.delete(session));
  }
  void drain(remaining, new Set(), timeoutMs).then(() => (state.done = true));
  return state;
}

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a drain', () => {
  it('is over at once when nobody is there', async () => {
    const state = begin([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(state.done).toBe(true);
  });

  it('asks everybody to go', async () => {
    const sessions = crowd(50);
    begin(sessions);
    await vi.advanceTimersByTimeAsync(500);
    expect(sessions.every(({ askedAt }) => askedAt !== undefined)).toBe(true);
  });

  it('is over when the last one is gone', async () => {
    const sessions = crowd(2, false);
    const state = begin(sessions);
    sessions[0]!.leave();
    await vi.advanceTimersByTimeAsync(1_000);
    const early = state.done;
    sessions[1]!.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect([early, state.done]).toEqual([false, true]);
  });

  it.each([
    [1, 10],
    [50, 500],
    [99, 990],
  ])('of %i spreads over %i ms at most', async (count, spreadMs) => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const sessions = crowd(count);
    begin(sessions);
    await vi.advanceTimersByTimeAsync(spreadMs);
    expect(sessions.every(({ askedAt }) => askedAt! > 0.99 * spreadMs - 1)).toBe(true);
  });

  it('of many leaves half of the time for those that are slow to go', async () => {
    const sessions = crowd(200);
    begin(sessions, 1_000);
    await vi.advanceTimersByTimeAsync(500);
    expect(sessions.every(({ askedAt }) => askedAt! <= 500)).toBe(true);
  });

  it('asks at different times, so that not all come back at once', async () => {
    const sessions = crowd(100);
    begin(sessions);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(new Set(sessions.map(({ askedAt }) => askedAt)).size).toBeGreaterThan(50);
  });

  it('ends those at once that have not gone in time', async () => {
    const [polite, stubborn] = [...crowd(1), ...crowd(1, false)];
    const state = begin([polite!, stubborn!], 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([polite!.isTerminated, stubborn!.isTerminated, state.done]).toEqual([false, true, true]);
  });

  it('lets others be served while many are ended at once', async () => {
    vi.useRealTimers();
    let turn = 0;
    let isOver = false;
    const count = () => {
      turn += 1;
      if (!isOver) setImmediate(count);
    };
    const turns = new Set<number>();
    const sessions = crowd(1_000, false);
    for (const session of sessions) {
      session.terminate = () => {
        for (const end = performance.now() + 0.05; performance.now() < end;);
        turns.add(turn);
        session.isTerminated = true;
      };
    }
    setImmediate(count);
    await drain(new Set(sessions), new Set(), 20);
    isOver = true;
    expect(sessions.every(({ isTerminated }) => isTerminated)).toBe(true);
    // 50 ms of work, 8 in a turn.
    expect(turns.size).toBeGreaterThan(3);
  });

  it('leaves no timer running', async () => {
    begin(crowd(3));
    await vi.advanceTimersByTimeAsync(100);
    expect(vi.getTimerCount()).toBe(0);
  });
});
