import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import { TurnQueue } from './turn-queue.js';

/** How long one piece of work takes, in milliseconds. */
const STEP_MS = 0.1;

let now: number;
let log: number[];
let queue: TurnQueue;

beforeEach(() => {
  now = 0;
  log = [];
  begun = 0;
  queue = new TurnQueue(() => now);
});

/** How many pieces of work were given to the queue, or done at once. */
let begun: number;

/** What a test leaves waiting would be done, and written down, in the next one. */
afterEach(async () => {
  while (log.length < begun) await nextTurn();
});

/** Has something done at once, or later. */
function work(number: number): void {
  begun += 1;
  const takeTurn = () => {
    now += STEP_MS;
    log.push(number);
  };
  if (queue.isOver()) queue.add({ takeTurn });
  else takeTurn();
}

const many = (count: number) => {
  for (let number = 0; number < count; number++) work(number);
};

describe('work of many clients in one turn', () => {
  it('is done at once while the turn is short', async () => {
    many(40);
    expect(log).toHaveLength(40);
    await nextTurn();
    many(40);
    expect(log).toHaveLength(80);
  });

  it('is cut into slices of eight milliseconds, and all of it is done once', async () => {
    many(1_000);
    const slices = [now];
    while (log.length < 1_000) {
      const before = now;
      await nextTurn();
      slices.push(now - before);
    }
    expect(Math.max(...slices)).toBeLessThan(8);
    expect(log.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  it('says when it has to wait from now on, and before what has waited is done', async () => {
    const done: number[] = [];
    queue.onBusy(() => void done.push(log.length));
    many(40);
    const early = [...done];
    many(1_000);
    const atOnce = log.length;
    expect([early, done]).toEqual([[], [atOnce]]);
    await nextTurn();
    expect(done).toEqual([atOnce, atOnce]);
  });

  it('counts by its size', () => {
    for (let number = 0; number < 4; number++) expect(queue.isOver(4)).toBe(false);
    now += 4;
    for (let number = 0; number < 3; number++) expect(queue.isOver(4)).toBe(false);
    expect(queue.isOver(4)).toBe(true);
  });

  it('that fails is logged, and does not keep the others from being done', async () => {
    const logs = collectLogs();
    queue.add({
      takeTurn: () => {
        throw new Error('broken');
      },
    });
    queue.add({ takeTurn: () => void log.push(1) });
    await nextTurn();
    await nextTurn();
    expect([log, logs]).toEqual([[1], [expect.stringContaining('broken')]]);
  });

  it('that is waited for is done in its turn, with all its microtasks', async () => {
    many(1_000);
    const { turns } = queue;
    const waited = queue.next().then(async () => {
      for (let hop = 0; hop < 10; hop++) await Promise.resolve();
      return queue.turns;
    });
    expect(await waited).toBe(turns);
    await nextTurn();
    expect(queue.turns).toBeGreaterThan(turns);
  });

  it('that comes last does not wait for all that came before', async () => {
    many(1_000);
    await nextTurn();
    expect(log).toContain(999);
  });

  it('that waits longest is not overtaken by all that comes later', async () => {
    many(200);
    const oldest = log.length;
    many(200);
    await nextTurn();
    expect(log).toContain(oldest);
  });

  it('of the next turn is done at once, though some of it still waits', async () => {
    many(1_000);
    await nextTurn();
    const before = log.length;
    work(5_000);
    expect(log.slice(before)).toEqual([5_000]);
  });

  it('has been done with all its microtasks when the next piece begins', async () => {
    const steps: string[] = [];
    many(1_000);
    for (const name of ['a', 'b']) {
      const takeTurn = async () => {
        steps.push(`${name} begins`);
        for (let n = 0; n < 5; n++) await Promise.resolve();
        steps.push(`${name} ends`);
      };
      queue.add({ takeTurn: () => void takeTurn() });
    }
    while (steps.length < 4) await nextTurn();
    expect(steps).toEqual(['b begins', 'b ends', 'a begins', 'a ends']);
  });

  it('has to wait after the first piece when that took longer than a turn', () => {
    const first = queue.isOver(16);
    now += 100;
    expect([first, queue.isOver(16)]).toEqual([false, true]);
  });

  it('twin: pieces that are taken for short ones are not timed so soon', () => {
    const first = queue.isOver();
    now += 100;
    expect([first, queue.isOver()]).toEqual([false, false]);
  });

  it('reads the clock once in 16 pieces while it is little', () => {
    let reads = 0;
    const counting = new TurnQueue(() => (reads += 1) && 0);
    for (let n = 0; n < 160; n++) counting.isOver();
    expect(reads).toBe(10);
  });
});

describe('urgent work of a busy turn', () => {
  const urgent = (number: number) => {
    begun += 1;
    const takeTurn = () => {
      now += STEP_MS;
      log.push(number);
    };
    queue.add({ takeTurn }, true);
  };

  const grants = () => Array.from({ length: 100 }, () => queue.overtakes()).filter(Boolean).length;

  it('is done at once 64 times, and again in the next turn', async () => {
    many(1);
    queue.add({ takeTurn: () => undefined });
    const before = [grants(), grants()];
    await nextTurn();
    expect([...before, grants()]).toEqual([64, 0, 64]);
  });

  it('is done at once until it has taken eight milliseconds of the turn', async () => {
    many(1);
    queue.add({ takeTurn: () => undefined });
    const since = queue.now();
    now += 7.9;
    queue.countUrgent(since);
    const before = [queue.hasUrgentTime, queue.overtakes()];
    now += 0.1;
    expect(queue.countUrgent(now - 0.1)).toBe(now);
    const after = [queue.hasUrgentTime, queue.overtakes()];
    await nextTurn();
    expect([before, after, queue.overtakes()]).toEqual([[true, true], [false, false], true]);
  });

  it('counts time once if it overlaps', async () => {
    const since = queue.now();
    for (let n = 0; n < 15; n++) {
      now += 0.5;
      queue.countUrgent(since);
    }
    expect(queue.hasUrgentTime).toBe(true);
    now += 0.5;
    queue.countUrgent(since);
    expect(queue.hasUrgentTime).toBe(false);
    await nextTurn();
  });

  it('is done at once more often in a turn in which many others have to wait', () => {
    many(1_000);
    const waiting = 1_000 - log.length;
    expect(grants() + grants()).toBe(64 + Math.floor(waiting / 16));
  });

  it('that has to wait goes before other work that waits', async () => {
    many(1_000);
    const { length } = log;
    urgent(5_000);
    await nextTurn();
    expect(log[length]).toBe(5_000);
  });

  it('takes turns with other work while both wait', async () => {
    many(1_000);
    const { length } = log;
    for (let number = 5_000; number < 5_100; number++) urgent(number);
    await nextTurn();
    const kinds = log.slice(length, length + 20).map((number) => number >= 5_000);
    expect(kinds).toEqual(kinds.map((_, n) => n % 2 === 0));
  });

  it('is all done, once, also when nothing else waits', async () => {
    for (let number = 0; number < 100; number++) urgent(number);
    while (log.length < 100) await nextTurn();
    await nextTurn();
    expect(log.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
});
