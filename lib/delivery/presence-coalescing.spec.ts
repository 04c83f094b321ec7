import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PresenceChange } from '../core/presence/presence.js';
import { PresenceCoalescing } from './presence-coalescing.js';

const WINDOW_MS = 250;

let coalescing: PresenceCoalescing;
/** `room left ann`: what was told at the end of a window. */
let told: string[];

function start(coalesceMs: number): void {
  told = [];
  coalescing = new PresenceCoalescing(coalesceMs, (topic, changes, audience) => {
    for (const { kind, userId } of changes)
      told.push([topic, kind, userId, audience?.to && `to ${[...audience.to].join()}`].filter(Boolean).join(' '));
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  start(WINDOW_MS);
});

afterEach(() => {
  coalescing.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const change = (kind: PresenceChange['kind'], userId = 'ann'): PresenceChange => ({ kind, userId });

/** @returns how many of the changes are to be told at once */
function hear(kinds: readonly PresenceChange['kind'][], userId?: string, topic = 'room'): number {
  return kinds.flatMap((kind) => coalescing.take(topic, [change(kind, userId)])).length;
}

describe('the changes of a user', () => {
  it('are the first at once, and the rest when the window is over', () => {
    expect(hear(['joined', 'left', 'joined', 'left'])).toBe(1);
    vi.advanceTimersByTime(WINDOW_MS - 1);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(told).toEqual(['room left ann']);
    vi.advanceTimersByTime(10 * WINDOW_MS);
    expect(told).toHaveLength(1);
  });

  it('are all told at once without a window', () => {
    start(0);
    expect(hear(['joined', 'left', 'joined', 'left'])).toBe(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are told once in a window for as long as they go on', () => {
    let atOnce = 0;
    for (let time = 0; time < 700; time++) {
      atOnce += hear([time % 2 === 0 ? 'joined' : 'left']);
      vi.advanceTimersByTime(7);
    }
    // 4.9 seconds.
    expect(atOnce + told.length).toBeGreaterThan(5);
    expect(atOnce + told.length).toBeLessThanOrEqual(20);
  });

  it('are told when watchers have to read again, and not a second time', () => {
    hear(['joined', 'left']);
    hear(['joined', 'left'], 'ann', 'other');
    coalescing.settle('room');
    expect(told).toEqual(['room left ann']);
    vi.advanceTimersByTime(10 * WINDOW_MS);
    expect(told).toEqual(['room left ann', 'other left ann']);
  });

  it('are forgotten with the last watcher', () => {
    hear(['joined', 'left']);
    coalescing.forget('room');
    expect(hear(['joined'])).toBe(1);
    vi.advanceTimersByTime(10 * WINDOW_MS);
    expect(told).toEqual([]);
  });
});

describe('the windows of a node', () => {
  it('have one timer, which stands only while windows are open', () => {
    for (let n = 0; n < 1_000; n++) hear(['joined', 'left'], `${n}`, `room ${n % 7}`);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(10 * WINDOW_MS);
    expect([told.length, vi.getTimerCount()]).toEqual([1_000, 0]);
  });

  it('end in turns when telling takes long, and others come in between', () => {
    const now = performance.now.bind(performance);
    let spentMs = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + spentMs);
    coalescing = new PresenceCoalescing(WINDOW_MS, (_topic, [due]) => {
      spentMs += 3;
      if (told.length === 0) setTimeout(() => told.push('somebody else'), 0);
      told.push(due!.userId);
    });
    for (let n = 0; n < 5; n++) hear(['joined', 'left'], `${n}`);
    vi.advanceTimersByTime(WINDOW_MS + 20);
    clock.mockRestore();
    expect(told).toEqual(['0', '1', '2', 'somebody else', '3', '4']);
  });

  it('leave no timer when the node stops', () => {
    hear(['joined', 'left']);
    coalescing.stop();
    vi.advanceTimersByTime(10 * WINDOW_MS);
    expect(told).toEqual([]);
  });
});

describe('an answer about the members', () => {
  const EMPTY = { topic: 'room', users: [], userCount: 0, connectionCount: 0 };

  it('has what was heard since it was read', () => {
    hear(['joined', 'left', 'joined']);
    expect(coalescing.asHeard(EMPTY).users).toEqual([{ userId: 'ann', connections: 1 }]);
    expect(coalescing.asHeard({ ...EMPTY, topic: 'other' }).users).toEqual([]);
    hear(['left']);
    expect(coalescing.asHeard(EMPTY).users).toEqual([]);
  });

  it('is followed by changes that cancel each other for others', () => {
    hear(['joined', 'left']);
    coalescing.answered(EMPTY, 'asker');
    hear(['joined']);
    vi.advanceTimersByTime(WINDOW_MS + 20);
    expect(told).toEqual(['room joined ann to asker']);
  });
});
