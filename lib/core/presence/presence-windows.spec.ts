import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSameInfo } from './presence-info.js';
import { changeOf, type Presence, type PresenceChange } from './presence.js';
import { PresenceWindows } from './presence-windows.js';
import { asTold } from './told-presence.js';

const WINDOW_MS = 250;

/** A watcher that applies what it is told to the last answer that it read. */
class Watcher {
  readonly picture = new Map<string, unknown>();
  readonly #last = new Map<string, PresenceChange['kind']>();

  /** @param isExact false where an answer may be ahead of the news: a change that is in the answer may be told afterwards */
  constructor(private readonly isExact: boolean) {}

  hear({ kind, userId, info }: PresenceChange): void {
    const before = this.#last.get(userId);
    // No join after a join, no leave after a leave.
    if (before) expect([kind === 'joined', before === 'left']).toEqual([before === 'left', kind === 'joined']);
    if (this.isExact) expect([kind, userId, this.picture.has(userId)]).toEqual([kind, userId, kind !== 'joined']);
    this.#last.set(userId, kind);
    if (kind === 'left') this.picture.delete(userId);
    else this.picture.set(userId, info);
  }

  read({ users }: Presence): void {
    this.picture.clear();
    for (const { userId, info } of users) this.picture.set(userId, info);
  }
}

/** A topic whose changes come to a node over a line, and its watchers on that node. */
class Scene {
  readonly windows: PresenceWindows;
  readonly users = new Map<string, number>();
  readonly watchers: Watcher[] = [];
  /** `150 joined ann 1`: what was told, with the time. */
  readonly told: string[] = [];
  now = 0;
  readonly #line: PresenceChange[] = [];
  readonly #toldAt = new Map<string, number>();

  constructor(
    private readonly isExact = true,
    limit = 100,
  ) {
    this.windows = new PresenceWindows(WINDOW_MS, limit);
  }

  /** @param info what is shown of the user; `undefined` if the user leaves */
  change(userId: string, info: number | undefined): void {
    const known = this.users.get(userId);
    if (known === info) return;
    if (info === undefined) this.users.delete(userId);
    else this.users.set(userId, info);
    this.#line.push(changeOf(info === undefined ? 'left' : known === undefined ? 'joined' : 'updated', userId, info));
    if (this.isExact) this.arrive();
  }

  arrive(count = Infinity): void {
    for (const change of this.#line.splice(0, count)) {
      if (this.windows.hear('room', change, this.now)) this.#tell(change);
    }
  }

  wait(ms: number): void {
    this.now += ms;
    for (let due = this.windows.end(this.now); due; due = this.windows.end(this.now)) this.#tell(due.change);
  }

  /** A watcher begins, and reads who is there. */
  watch(): Watcher {
    const watcher = new Watcher(this.isExact);
    this.watchers.push(watcher);
    watcher.read(this.answer());
    return watcher;
  }

  answer(): Presence {
    const users = [...this.users].map(([userId, info]) => ({ userId, info, connections: 1 }));
    const presence = { topic: 'room', users, userCount: users.length, connectionCount: users.length };
    return asTold(presence, this.windows.toldIn('room'));
  }

  #tell(change: PresenceChange): void {
    const { kind, userId, info } = change;
    const before = this.#toldAt.get(userId);
    if (before !== undefined) expect(this.now - before).toBeGreaterThanOrEqual(WINDOW_MS);
    this.#toldAt.set(userId, this.now);
    this.told.push([`${this.now}`, kind, userId, JSON.stringify(info)].filter(Boolean).join(' '));
    for (const watcher of this.watchers) watcher.hear(change);
  }
}

type Step =
  | { readonly kind: 'change'; readonly userId: string; readonly info: number | undefined }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'arrive'; readonly count: number }
  | { readonly kind: 'watch' | 'read' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('change' as const),
        userId: fc.constantFrom('ann', 'bob', 'cem'),
        info: fc.constantFrom(undefined, undefined, 1, 2),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 50, 125, 249, 250, 251, 600) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('arrive' as const), count: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 2, arbitrary: fc.constantFrom({ kind: 'watch' as const }, { kind: 'read' as const }) },
  ),
  { maxLength: 80, size: 'max' },
);

/** Runs the steps, lets everything arrive, and waits until all windows have ended. */
function run(scene: Scene, list: readonly Step[]): void {
  scene.watch();
  for (const step of list) {
    if (step.kind === 'change') scene.change(step.userId, step.info);
    else if (step.kind === 'wait') scene.wait(step.ms);
    else if (step.kind === 'arrive') scene.arrive(step.count);
    else if (step.kind === 'watch') scene.watch();
    else scene.watchers[0]!.read(scene.answer());
  }
  scene.arrive();
  scene.wait(WINDOW_MS);
  scene.wait(WINDOW_MS);
}

describe('coalesced changes', () => {
  // The second kind of topic is that of a shared store: what is read may be ahead of the news that have arrived.
  it.each([true, false])(
    'end in every watcher having the members, with at most one change of a user told in a window (exact answers: %s)',
    (isExact) => {
      fc.assert(
        fc.property(steps, (list) => {
          const scene = new Scene(isExact);
          run(scene, list);
          for (const { picture } of scene.watchers) expect(picture).toEqual(scene.users);
          expect([scene.windows.size, scene.windows.nextEnd, [...scene.windows.toldIn('room')]]).toEqual([
            0,
            undefined,
            [],
          ]);
        }),
        { numRuns: 500 },
      );
    },
  );

  it('would leave a watcher with a wrong picture if its answer did not agree with what is told', () => {
    const scene = new Scene();
    scene.change('ann', 1);
    scene.change('ann', undefined);
    const watcher = new Watcher(true);
    watcher.read({ topic: 'room', users: [], userCount: 0, connectionCount: 0 });
    scene.watchers.push(watcher);
    scene.change('ann', 1);
    scene.wait(WINDOW_MS);
    expect([watcher.picture.has('ann'), scene.users.has('ann')]).toEqual([false, true]);
  });

  it('are the first at once, and the latest when the window ends', () => {
    const scene = new Scene();
    scene.change('ann', 1);
    scene.wait(100);
    scene.change('ann', 2);
    scene.change('ann', 3);
    scene.wait(149);
    expect(scene.told).toEqual(['0 joined ann 1']);
    scene.wait(1);
    expect(scene.told).toEqual(['0 joined ann 1', '250 updated ann 3']);
  });

  it('are none when a join and a leave cancel each other', () => {
    const scene = new Scene();
    scene.change('ann', 1);
    for (let time = 0; time < 20; time++) {
      scene.change('ann', undefined);
      scene.change('ann', 1);
    }
    scene.wait(WINDOW_MS);
    expect(scene.told).toEqual(['0 joined ann 1']);
    scene.wait(1);
    scene.change('ann', undefined);
    expect(scene.told).toEqual(['0 joined ann 1', '251 left ann']);
  });

  it('are one a window for a user who comes and goes without end', () => {
    const scene = new Scene();
    for (let time = 0; time < 1_000; time++) {
      scene.change('ann', time % 2 === 0 ? 1 : undefined);
      scene.wait(7);
    }
    expect(scene.told.length).toBeLessThanOrEqual(7_000 / WINDOW_MS + 1);
    expect(scene.told.length).toBeGreaterThan(10);
  });

  it('tell the final leave, with what was shown last', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    windows.hear('room', { kind: 'joined', userId: 'ann', info: 1 }, 0);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: 2 }, 10);
    windows.hear('room', { kind: 'left', userId: 'ann', info: 2 }, 20);
    expect(windows.end(WINDOW_MS)).toEqual({ topic: 'room', change: { kind: 'left', userId: 'ann', info: 2 } });
    expect(windows.end(WINDOW_MS)).toBeUndefined();
  });

  it('are of each user and each topic alone', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    const told = [
      ['one', 'ann'],
      ['one', 'bob'],
      ['two', 'ann'],
    ].map(([topic, userId]) => windows.hear(topic!, { kind: 'joined', userId: userId! }, 0));
    expect([told, windows.size]).toEqual([[true, true, true], 3]);
  });

  it('end at once for a topic that is read again, and no window stays', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    for (const topic of ['one', 'two']) {
      windows.hear(topic, { kind: 'joined', userId: 'ann' }, 0);
      windows.hear(topic, { kind: 'left', userId: 'ann' }, 1);
    }
    windows.hear('one', { kind: 'joined', userId: 'bob' }, 2);
    expect(windows.endTopic('one')).toEqual([{ kind: 'left', userId: 'ann' }]);
    expect([windows.size, [...windows.toldIn('one')]]).toEqual([1, []]);
    expect([windows.end(WINDOW_MS)?.topic, windows.end(WINDOW_MS)]).toEqual(['two', undefined]);
  });

  it('are told at once for the users above the limit, and take no memory', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    let told = 0;
    for (let n = 0; n < 100_000; n++) {
      for (const kind of ['joined', 'left'] as const) {
        if (windows.hear('room', { kind, userId: `${n}` }, 0)) told += 1;
      }
    }
    expect([windows.size, told]).toEqual([10, 200_000 - 10]);
    const ended = [];
    for (let due = windows.end(WINDOW_MS); due; due = windows.end(WINDOW_MS)) ended.push(due.change.kind);
    expect(ended).toEqual(Array.from({ length: 10 }, () => 'left'));
  });

  it('are the same for infos that are equal as JSON', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: { a: 1 } }, 0);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: { a: 2 } }, 0);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: { a: 1 } }, 0);
    expect([isSameInfo({ a: 1 }, { a: 1 }), windows.end(WINDOW_MS)]).toEqual([true, undefined]);
  });
});
