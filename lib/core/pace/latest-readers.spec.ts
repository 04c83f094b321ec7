import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatestReaders } from './latest-readers.js';
import { PaceWindow } from './pace-windows.js';

type Window = Parameters<LatestReaders<string>['endWindow']>[0];

/** The windows that have begun, and end when the test says so. */
class OpenWindows {
  readonly #open = new Set<Window>();
  readonly beginWindow = (window: Window): void => void this.#open.add(window);
  readonly cancelWindow = (window: Window): void => void this.#open.delete(window);

  get intervals(): number[] {
    return Array.from(this.#open, ({ intervalMs }) => intervalMs);
  }

  /** Takes the first of this length. */
  take(intervalMs: number): Window {
    const found = [...this.#open].find((window) => window.intervalMs === intervalMs);
    if (found === undefined) return new PaceWindow(intervalMs);
    this.#open.delete(found);
    return found;
  }
}

/** Readers whose sockets can be blocked, and what each has got. */
function stage() {
  const got = new Map<string, string[]>();
  const blocked = new Set<string>();
  const windows = new OpenWindows();
  const readers: LatestReaders<string> = new LatestReaders<string>({
    offer: (id, value) => {
      if (blocked.has(id)) return 'blocked';
      got.set(id, [...(got.get(id) ?? []), value]);
      return 'taken';
    },
    beginWindow: windows.beginWindow,
    cancelWindow: windows.cancelWindow,
  });
  const serve = () => {
    let replaced = 0;
    for (const id of readers.ready.keys()) replaced += readers.serve(id);
    return replaced;
  };
  return {
    readers,
    windows,
    got: (id: string) => (got.get(id) ?? []).join(' '),
    block: (id: string) => void blocked.add(id),
    serve,
    unblock: (id: string) => {
      blocked.delete(id);
      return readers.resume(id) ? readers.serve(id) : 0;
    },
    /** Changes a key to a value, such as `a1`. */
    change: (value: string) => {
      readers.change(value[0]!, value, value.length);
      serve();
    },
    endWindow: (intervalMs: number) => {
      for (const id of readers.endWindow(windows.take(intervalMs))) readers.serve(id);
    },
  };
}

describe('a reader that can take values', () => {
  it('gets each change at once', () => {
    const { readers, change, got } = stage();
    readers.enter('r', 0);
    ['a1', 'a2', 'b1'].forEach(change);
    expect(got('r')).toBe('a1 a2 b1');
  });

  it('gets nothing of what changed before it came', () => {
    const { readers, change, got, block } = stage();
    readers.enter('other', 0);
    block('other');
    change('a1');
    readers.enter('r', 0);
    change('b1');
    expect(got('r')).toBe('b1');
  });

  it('leaves nothing behind in memory', () => {
    const { readers, change } = stage();
    readers.enter('r', 0);
    ['a1', 'b1'].forEach(change);
    expect([readers.keys, readers.bytes]).toEqual([0, 0]);
  });
});

describe('a value that is not for a reader', () => {
  it('is passed over, and begins no interval', () => {
    const got: string[] = [];
    const readers = new LatestReaders<string>({
      offer: (_id, value) => (value.startsWith('mine') ? 'passed' : (got.push(value), 'taken')),
      beginWindow: () => undefined,
      cancelWindow: () => undefined,
    });
    readers.enter('r', 100);
    for (const value of ['mine', 'theirs']) {
      readers.change('k', value, 1);
      readers.serve('r');
    }
    expect([got, readers.keys]).toEqual([['theirs'], 0]);
  });
});

describe('a reader that is blocked', () => {
  it('gets the last value of each key in the order of the last change, once it can', () => {
    const { readers, change, got, block, unblock } = stage();
    readers.enter('r', 0);
    block('r');
    ['a1', 'b1', 'a2', 'c1', 'b2'].forEach(change);
    unblock('r');
    expect(got('r')).toBe('a2 c1 b2');
  });

  it('is told how many values were replaced', () => {
    const { readers, change, block, unblock } = stage();
    readers.enter('r', 0);
    block('r');
    ['a1', 'b1', 'a2', 'c1', 'b2'].forEach(change);
    expect(unblock('r')).toBe(2);
  });

  it('keeps no other reader waiting', () => {
    const { readers, change, got, block } = stage();
    readers.enter('slow', 0);
    readers.enter('fast', 0);
    block('slow');
    ['a1', 'a2'].forEach(change);
    expect([got('slow'), got('fast')]).toEqual(['', 'a1 a2']);
  });

  it('goes on where it was blocked in the middle', () => {
    const got: string[] = [];
    let room = 0;
    const readers = new LatestReaders<string>({
      offer: (_id, value) => {
        if (room === 0) return 'blocked';
        room -= 1;
        got.push(value);
        return 'taken';
      },
      beginWindow: () => undefined,
      cancelWindow: () => undefined,
    });
    readers.enter('r', 0);
    for (const value of ['a1', 'b1', 'c1']) readers.change(value[0]!, value, 2);
    readers.serve('r');
    for (const more of [2, 1]) {
      room = more;
      readers.resume('r');
      readers.serve('r');
      readers.change('a', 'a2', 2);
    }
    expect(got).toEqual(['a1', 'b1', 'c1']);
  });

  it('keeps one value of each key in memory, however often they change', () => {
    const { readers, change, block } = stage();
    for (let n = 0; n < 50; n++) readers.enter(`${n}`, 0);
    block('7');
    for (let n = 0; n < 1_000; n++) change(`${'abc'[n % 3]}${n % 10}`);
    expect([readers.keys, readers.bytes]).toEqual([3, 6]);
  });

  it('frees what was kept for it when it leaves', () => {
    const { readers, change, block } = stage();
    readers.enter('slow', 0);
    readers.enter('fast', 0);
    block('slow');
    change('a1');
    readers.leave('slow');
    expect(readers.keys).toBe(0);
  });

  it('has to go when what it waits for is too much, and nobody that is less far behind', () => {
    const { readers, change, block } = stage();
    for (const id of ['first', 'second', 'fast']) readers.enter(id, 0);
    block('first');
    change('a1');
    block('second');
    change('b1');
    const furthest = (maxBytes: number) => [...readers.before(readers.leaving(maxBytes))];
    expect([furthest(4), furthest(3), furthest(1)]).toEqual([[], ['first'], ['first', 'second']]);
  });
});

describe('keys that nobody waits for any more', () => {
  it('are forgotten while another reader is behind', () => {
    const { readers, block, unblock } = stage();
    for (const id of ['r', 'other']) readers.enter(id, 0);
    block('r');
    for (let n = 0; n < 100; n++) readers.change(`old ${n}`, 'x', 1);
    readers.serve('other');
    block('other');
    unblock('r');
    for (let n = 0; n < 250; n++) readers.change(`new ${n}`, 'x', 1);
    readers.serve('r');
    expect(readers.keys).toBe(250);
  });
});

describe('a reader with an interval', () => {
  it('gets the first value at once, and the last of each key when the interval is over', () => {
    const { readers, change, got, endWindow } = stage();
    readers.enter('r', 100);
    ['a1', 'a2', 'b1', 'a3'].forEach(change);
    const before = got('r');
    endWindow(100);
    expect([before, got('r')]).toEqual(['a1', 'a1 b1 a3']);
  });

  it('gets the next value at once after an interval without any', () => {
    const { readers, change, got, endWindow } = stage();
    readers.enter('r', 100);
    change('a1');
    endWindow(100);
    change('a2');
    expect(got('r')).toBe('a1 a2');
  });

  it('is the only one to be served at the end of the interval when it is behind', () => {
    const { readers, change, block, windows } = stage();
    for (const [id, intervalMs] of [
      ['without', 0],
      ['other', 500],
      ['blocked', 100],
      ['r', 100],
    ] as const)
      readers.enter(id, intervalMs);
    change('a1');
    block('blocked');
    readers.change('a', 'a2', 2);
    readers.serve('blocked', true);
    expect([...readers.endWindow(windows.take(100))]).toEqual(['r']);
  });

  it('is not to be served at its end when nothing has changed', () => {
    const { readers, change, windows } = stage();
    readers.enter('r', 100);
    change('a1');
    expect([[...readers.endWindow(windows.take(100))], [...readers.ready.keys()]]).toEqual([[], ['r']]);
  });

  it('needs no timer while nothing changes', () => {
    const { readers, change, windows, endWindow } = stage();
    readers.enter('r', 100);
    change('a1');
    endWindow(100);
    expect(windows.intervals).toEqual([]);
  });

  it('needs no timer once it has left', () => {
    const { readers, change, windows } = stage();
    readers.enter('r', 100);
    change('a1');
    readers.leave('r');
    expect(windows.intervals).toEqual([]);
  });

  it('shares the timer with the others of the same interval', () => {
    const begun: number[] = [];
    const readers = new LatestReaders<string>({
      offer: () => 'taken',
      beginWindow: ({ intervalMs }) => begun.push(intervalMs),
      cancelWindow: () => undefined,
    });
    for (let n = 0; n < 10; n++) readers.enter(`${n}`, 100);
    readers.change('a', 'a1', 2);
    for (const id of readers.ready.keys()) readers.serve(id);
    expect(begun).toEqual([100]);
  });

  it('gets what waits before the interval is over when it is served in haste', () => {
    const { readers, change, got } = stage();
    readers.enter('r', 100);
    ['a1', 'a2', 'b1'].forEach(change);
    readers.serve('r', true);
    expect(got('r')).toBe('a1 a2 b1');
  });

  it('waits for the end of the interval when its socket has drained before', () => {
    const { readers, change, got, block, unblock, endWindow } = stage();
    readers.enter('r', 100);
    change('a1');
    block('r');
    change('a2');
    unblock('r');
    const before = got('r');
    endWindow(100);
    expect([before, got('r')]).toEqual(['a1', 'a1 a2']);
  });

  it('gets what waits as soon as the socket drains after the end of the interval', () => {
    const { readers, change, got, block, unblock, endWindow } = stage();
    readers.enter('r', 100);
    change('a1');
    block('r');
    change('a2');
    endWindow(100);
    unblock('r');
    expect(got('r')).toBe('a1 a2');
  });

  describe('that is blocked in the middle of an update', () => {
    /** A reader whose socket takes so many values, after three changes of which it has taken the first. */
    function cut() {
      const got: string[] = [];
      const windows = new OpenWindows();
      const socket = { room: 1 };
      const readers = new LatestReaders<string>({
        offer: (_id, value) => {
          if (socket.room === 0) return 'blocked';
          socket.room -= 1;
          got.push(value);
          return 'taken';
        },
        beginWindow: windows.beginWindow,
        cancelWindow: windows.cancelWindow,
      });
      const change = (value: string) => readers.change(value[0]!, value, 2);
      readers.enter('r', 100);
      ['a1', 'b1', 'c1'].forEach(change);
      readers.serve('r');
      /** Makes room for so many values. */
      const drain = (room: number) => {
        socket.room = room;
        if (readers.resume('r')) readers.serve('r');
      };
      return { readers, got, windows, change, drain };
    }

    it('gets the rest as soon as the socket drains, and only then its interval begins', () => {
      const { got, windows, drain } = cut();
      const before = windows.intervals;
      drain(1);
      drain(9);
      expect([before, got, windows.intervals]).toEqual([[], ['a1', 'b1', 'c1'], [100]]);
    });

    it('gets what has changed meanwhile when the interval is over', () => {
      const { readers, got, change, drain, windows } = cut();
      ['a2', 'b2'].forEach(change);
      drain(9);
      const early = [...got];
      for (const id of readers.endWindow(windows.take(100))) readers.serve(id);
      expect([early, got]).toEqual([
        ['a1', 'c1'],
        ['a1', 'c1', 'a2', 'b2'],
      ]);
    });

    it('gets all that waits when it changes its interval meanwhile', () => {
      const { readers, got, change, drain } = cut();
      change('a2');
      readers.enter('r', 0);
      drain(9);
      expect(got).toEqual(['a1', 'b1', 'c1', 'a2']);
    });

    it('gets the rest of what it was given in haste as soon as the socket drains', () => {
      const { readers, got, change, drain } = cut();
      drain(2);
      ['d1', 'e1'].forEach(change);
      drain(1);
      readers.serve('r', true);
      drain(9);
      expect(got).toEqual(['a1', 'b1', 'c1', 'd1', 'e1']);
    });
  });

  it('waits for the end of its interval when it changes to a longer one, and for the longer one after that', () => {
    const { readers, change, got, endWindow, windows } = stage();
    readers.enter('r', 100);
    change('a1');
    readers.enter('r', 500);
    change('a2');
    const before = got('r');
    endWindow(100);
    expect([before, got('r'), windows.intervals]).toEqual(['a1', 'a1 a2', [500]]);
  });

  it('waits no longer than a shorter one when it changes to that', () => {
    const { readers, change, got, endWindow, windows } = stage();
    readers.enter('r', 500);
    change('a1');
    readers.enter('r', 100);
    change('a2');
    const before = [got('r'), ...windows.intervals];
    endWindow(100);
    expect([before, got('r')]).toEqual([['a1', 100], 'a1 a2']);
  });

  it('waits no longer however often it changes to and fro', () => {
    const { readers, change, got, endWindow } = stage();
    readers.enter('r', 100);
    change('a1');
    for (const intervalMs of [500, 100, 500, 100]) {
      readers.enter('r', intervalMs);
      readers.sealWindows();
    }
    change('a2');
    endWindow(100);
    expect(got('r')).toBe('a1 a2');
  });

  it('is to be served when it needs no interval any more', () => {
    const { readers, change, got, windows } = stage();
    readers.enter('r', 100);
    ['a1', 'a2'].forEach(change);
    const isReady = readers.enter('r', 0);
    readers.serve('r');
    expect([isReady, got('r'), windows.intervals]).toEqual([true, 'a1 a2', []]);
  });

  it('waits for its own, not for what is left of one that another reader has begun by changing to it', () => {
    const { readers, change, got, block, unblock, endWindow, windows } = stage();
    readers.enter('flapper', 500);
    readers.enter('r', 100);
    block('r');
    change('a1');
    readers.sealWindows();
    readers.enter('flapper', 100);
    readers.sealWindows();
    unblock('r');
    change('a2');
    const begun = windows.intervals;
    endWindow(100);
    expect([begun, got('flapper'), got('r')]).toEqual([[100, 100], 'a1 a2', 'a1']);
  });
});

describe('whatever the schedule of blocking', () => {
  const IDS = ['p', 'q', 'r', 's'];
  const INTERVALS: Readonly<Record<string, number>> = { p: 0, q: 0, r: 100, s: 250 };
  const id = fc.constantFrom(...IDS);
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('change' as const), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), id }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('unblock' as const), id }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('window' as const), ms: fc.constantFrom(100, 250) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), id }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('enter' as const), id, ms: fc.constantFrom(0, 100, 250) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hurry' as const), id }) },
  );

  it('the last value of each key arrives, in the order of the last change', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), fc.integer({ min: 1, max: 4 }), (steps, room) => {
        const got = new Map<string, { key: string; change: number }[]>();
        const blocked = new Set<string>();
        const windows = new OpenWindows();
        let space = Infinity;
        const readers: LatestReaders<{ key: string; change: number }> = new LatestReaders({
          offer: (reader, value: { key: string; change: number }) => {
            if (blocked.has(reader) || space-- <= 0) return 'blocked';
            got.get(reader)!.push(value);
            return 'taken';
          },
          beginWindow: windows.beginWindow,
          cancelWindow: windows.cancelWindow,
        });
        let changes = 0;
        /** The last change of each key since each reader came. */
        const expected = new Map<string, Map<string, number>>();
        const serveOne = (reader: string) => {
          // A socket that takes a part of what it is offered.
          space = room;
          readers.serve(reader);
          space = Infinity;
          if (!blocked.has(reader) && readers.resume(reader)) readers.serve(reader);
        };
        const serve = () => {
          for (const reader of readers.ready.keys()) serveOne(reader);
        };
        const unblock = (reader: string) => {
          blocked.delete(reader);
          if (readers.resume(reader)) readers.serve(reader);
        };
        for (const each of steps) {
          readers.sealWindows();
          switch (each.kind) {
            case 'change': {
              const value = { key: each.key, change: ++changes };
              readers.change(each.key, value, 1);
              for (const seen of expected.values()) {
                seen.delete(each.key);
                seen.set(each.key, changes);
              }
              serve();
              break;
            }
            case 'block':
              blocked.add(each.id);
              break;
            case 'unblock':
              unblock(each.id);
              break;
            case 'window':
              for (const reader of readers.endWindow(windows.take(each.ms))) serveOne(reader);
              break;
            case 'enter':
              if (readers.has(each.id)) {
                if (readers.enter(each.id, each.ms)) serveOne(each.id);
                break;
              }
              readers.enter(each.id, INTERVALS[each.id]!);
              got.set(each.id, []);
              expected.set(each.id, new Map());
              break;
            case 'leave':
              readers.leave(each.id);
              expected.delete(each.id);
              break;
            case 'hurry':
              readers.serve(each.id, true);
              break;
          }
          expect(readers.keys).toBeLessThanOrEqual(5);
        }
        for (const reader of IDS) unblock(reader);
        // Each round gives every reader room for one value at least.
        for (let round = 0; round < 5; round++) {
          for (const ms of windows.intervals) {
            for (const reader of readers.endWindow(windows.take(ms))) serveOne(reader);
          }
        }
        for (const [reader, lastOf] of expected) {
          const values = got.get(reader)!;
          const order = values.map(({ change }) => change);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
          const last = new Map<string, number>();
          for (const { key, change } of values) {
            last.delete(key);
            last.set(key, change);
          }
          expect([...last]).toEqual([...lastOf]);
        }
        expect(readers.keys).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('whatever other readers do, and however often they change their intervals', () => {
  const IDS = ['p', 'q', 'r'];
  const id = fc.constantFrom(...IDS);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('change' as const), key: fc.constantFrom('a', 'b') }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(5, 40, 90) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('block' as const, 'unblock' as const), id }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('enter' as const), id, ms: fc.constantFrom(50, 100, 250) }),
    },
  );

  it('a reader gets no two updates within the shortest interval that it had between them, and waits for no more than twice the longest', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        let now = 0;
        const blocked = new Set<string>();
        const open = new Map<Window, number>();
        /** Of each reader: when it was served last, and the intervals that it has had since. */
        const last = new Map<string, { readonly at: number; readonly intervals: number[] }>();
        const interval = new Map<string, number>();
        /** Since when each reader has been behind. */
        const behind = new Map<string, number>();
        const readers: LatestReaders<string> = new LatestReaders<string>({
          offer: (reader) => {
            if (blocked.has(reader)) return 'blocked';
            const before = last.get(reader);
            if (before && before.at < now) {
              expect(now - before.at).toBeGreaterThanOrEqual(Math.min(...before.intervals));
            }
            last.set(reader, { at: now, intervals: [interval.get(reader)!] });
            return 'taken';
          },
          beginWindow: (window) => void open.set(window, now + window.intervalMs),
          cancelWindow: (window) => void open.delete(window),
        });
        const serve = () => {
          for (const reader of readers.ready.keys()) readers.serve(reader);
        };
        const wait = (ms: number) => {
          for (const end = now + ms; now < end; now += 5) {
            for (const [window, at] of open) {
              if (at > now) continue;
              open.delete(window);
              for (const reader of readers.endWindow(window)) readers.serve(reader);
              readers.sealWindows();
            }
            for (const reader of IDS) {
              if (readers.isCurrent(reader) || blocked.has(reader)) behind.delete(reader);
              else if (!behind.has(reader)) behind.set(reader, now);
              expect(now - (behind.get(reader) ?? now)).toBeLessThanOrEqual(2 * 250);
            }
          }
        };
        for (const each of steps) {
          readers.sealWindows();
          switch (each.kind) {
            case 'change':
              readers.change(each.key, each.key, 1);
              serve();
              break;
            case 'wait':
              wait(each.ms);
              break;
            case 'block':
              blocked.add(each.id);
              break;
            case 'unblock':
              blocked.delete(each.id);
              if (readers.resume(each.id)) readers.serve(each.id);
              break;
            case 'enter':
              interval.set(each.id, each.ms);
              last.get(each.id)?.intervals.push(each.ms);
              if (readers.enter(each.id, each.ms)) readers.serve(each.id);
              break;
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
