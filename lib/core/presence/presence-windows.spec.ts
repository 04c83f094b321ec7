import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asHeard } from './heard-presence.js';
import { isSameInfo } from './presence-info.js';
import { changeOf, type Presence, type PresenceChange } from './presence.js';
import { PresenceWindows, type Audience } from './presence-windows.js';

const WINDOW_MS = 250;

/** A watcher that applies what it is told to the last answer that it read. */
class Watcher {
  readonly picture = new Map<string, unknown>();
  readonly #last = new Map<string, PresenceChange['kind']>();
  readonly #toldAt = new Map<string, number>();

  /** @param isExact false where an answer may be ahead of the news: a change that is in the answer may be told afterwards */
  constructor(
    readonly id: string,
    private readonly isExact: boolean,
  ) {}

  hear({ kind, userId, info }: PresenceChange, now: number): void {
    expect(now - (this.#toldAt.get(userId) ?? -WINDOW_MS)).toBeGreaterThanOrEqual(WINDOW_MS);
    this.#toldAt.set(userId, now);
    const before = this.#last.get(userId);
    // No join after a join, no leave after a leave.
    if (before) expect([kind === 'joined', before === 'left']).toEqual([before === 'left', kind === 'joined']);
    if (this.isExact && kind === 'updated') expect([...this.picture.keys()]).toContain(userId);
    this.#last.set(userId, kind);
    if (kind === 'left') this.picture.delete(userId);
    else this.picture.set(userId, info);
  }

  read({ users }: Presence): void {
    this.picture.clear();
    this.#last.clear();
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
  /** False for the twin: answers are not recorded. */
  repeats = true;
  #changes = 0;
  readonly #line: PresenceChange[] = [];

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
    this.#changes += 1;
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
    for (let due = this.windows.end(this.now); due.length > 0; due = this.windows.end(this.now))
      for (const each of due) this.#tell(each.change, each);
  }

  /** A watcher begins, and reads who is there. */
  watch(): Watcher {
    const watcher = new Watcher(`${this.watchers.length}`, this.isExact);
    this.watchers.push(watcher);
    this.ask(watcher);
    return watcher;
  }

  /** @param meanwhile happens after the members were read, and before the watcher is answered */
  ask(watcher: Watcher, meanwhile = () => {}): void {
    const confirmed = new Map(this.users);
    const [read, at] = [this.#members(), this.#changes];
    meanwhile();
    const isOvertaken = this.#changes - this.#line.length > at;
    const answer = isOvertaken ? asHeard(read, this.windows.heardIn('room')) : read;
    if (this.#changes === at)
      expect(new Map(answer.users.map(({ userId, info }) => [userId, info]))).toEqual(confirmed);
    watcher.read(answer);
    if (this.repeats) this.windows.answered(answer, watcher.id);
  }

  #members(): Presence {
    const users = [...this.users].map(([userId, info]) => ({ userId, info, connections: 1 }));
    return { topic: 'room', users, userCount: users.length, connectionCount: users.length };
  }

  #tell(change: PresenceChange, { to, except }: Audience = {}): void {
    const { kind, userId, info } = change;
    const some = to ? `to ${[...to].join()}` : except && `not to ${[...except].join()}`;
    this.told.push([`${this.now}`, kind, userId, JSON.stringify(info), some].filter(Boolean).join(' '));
    for (const watcher of this.watchers) {
      if (to ? to.has(watcher.id) : !except?.has(watcher.id)) watcher.hear(change, this.now);
    }
  }
}

type Step =
  | { readonly kind: 'change'; readonly userId: string; readonly info: number | undefined }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'arrive'; readonly count: number }
  | { readonly kind: 'watch' }
  /** The changes happen, and some arrive, while a watcher waits for its answer. */
  | {
      readonly kind: 'ask';
      readonly watcher: number;
      readonly meanwhile: readonly (number | undefined)[];
      readonly count: number;
    };

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
    { weight: 1, arbitrary: fc.constant({ kind: 'watch' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        watcher: fc.nat(3),
        meanwhile: fc.array(fc.constantFrom(undefined, 1, 2), { maxLength: 2 }),
        count: fc.nat(3),
      }),
    },
  ),
  { maxLength: 80, size: 'max' },
);

/** Runs the steps, lets everything arrive, and waits for a window. */
function run(scene: Scene, list: readonly Step[]): void {
  scene.watch();
  for (const step of list) {
    if (step.kind === 'change') scene.change(step.userId, step.info);
    else if (step.kind === 'wait') scene.wait(step.ms);
    else if (step.kind === 'arrive') scene.arrive(step.count);
    else if (step.kind === 'watch') scene.watch();
    else
      scene.ask(scene.watchers[step.watcher % scene.watchers.length]!, () => {
        for (const info of step.meanwhile) scene.change('ann', info);
        scene.arrive(step.count);
      });
  }
  scene.arrive();
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
          scene.wait(WINDOW_MS);
          expect([scene.windows.size, scene.windows.nextEnd, [...scene.windows.heardIn('room')]]).toEqual([
            0,
            undefined,
            [],
          ]);
        }),
        { numRuns: 500 },
      );
    },
  );

  it.each([
    ['are told again to a watcher that was answered in between, and to no other', true, ['250 joined ann 1 to 1']],
    ['twin: without that a watcher would be left with a wrong picture', false, []],
  ])('%s', (_what, repeats, last) => {
    const scene = new Scene();
    scene.repeats = repeats;
    scene.watch();
    scene.change('ann', 1);
    scene.change('ann', undefined);
    const { picture } = scene.watch();
    scene.change('ann', 1);
    scene.wait(WINDOW_MS);
    expect(scene.told).toEqual(['0 joined ann 1', ...last]);
    expect(picture.has('ann')).toBe(repeats);
  });

  it('are told to a watcher whose answer was ahead of them, although a window has ended for another one meanwhile', () => {
    const scene = new Scene(false);
    scene.watch();
    scene.change('ann', 1);
    scene.change('ann', undefined);
    scene.arrive();
    scene.wait(WINDOW_MS);
    scene.change('ann', 1);
    scene.watch();
    scene.change('ann', undefined);
    scene.arrive();
    scene.change('ann', 1);
    const { picture } = scene.watch();
    scene.wait(WINDOW_MS);
    scene.change('ann', undefined);
    scene.arrive();
    scene.wait(WINDOW_MS);
    expect([scene.told.slice(-2), picture]).toEqual([['500 left ann to 1', '750 left ann to 2'], new Map()]);
  });

  it('are a join for a watcher that was answered while the user was away, and an update for others', () => {
    const scene = new Scene();
    scene.watch();
    scene.change('ann', 1);
    scene.change('ann', undefined);
    scene.watch();
    scene.change('ann', 2);
    scene.wait(WINDOW_MS);
    expect(scene.told).toEqual(['0 joined ann 1', '250 joined ann 2 to 1', '250 updated ann 2 not to 1']);
  });

  it.each([
    ['a leave', undefined, 2, undefined, '750 left ann'],
    ['another info', 1, 2, 1, '750 updated ann 1'],
  ])('that lead back to %s are told again as such', (_what, first, between, last, told) => {
    const scene = new Scene();
    scene.change('ann', 3);
    scene.wait(2 * WINDOW_MS);
    scene.change('ann', first);
    scene.change('ann', between);
    scene.watch();
    scene.change('ann', last);
    scene.wait(WINDOW_MS);
    expect(scene.told.at(-1)).toBe(`${told} to 0`);
  });

  it('are not told again when the watcher has asked again, or an answer was ahead of the news', () => {
    const scene = new Scene(false);
    const watcher = scene.watch();
    scene.change('ann', 1);
    scene.arrive();
    scene.change('ann', undefined);
    scene.ask(watcher);
    scene.change('ann', 1);
    scene.ask(watcher);
    scene.arrive();
    scene.change('ann', undefined);
    scene.ask(watcher);
    scene.wait(WINDOW_MS);
    expect(scene.told).toEqual(['0 joined ann 1']);
    scene.arrive();
    expect(scene.told).toEqual(['0 joined ann 1', '250 left ann']);
  });

  it('are told again for a user that a limited answer does not list only if the user has come or gone', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    for (const userId of ['ann', 'bob'])
      for (const kind of ['joined', 'left', 'joined'] as const) windows.hear('room', { kind, userId }, 0);
    windows.hear('room', { kind: 'left', userId: 'bob' }, 0);
    windows.answered({ topic: 'room', users: [], userCount: 9, connectionCount: 9 }, 'w');
    for (const userId of ['ann', 'bob'])
      for (const kind of ['left', 'joined'] as const) windows.hear('room', { kind, userId }, 0);
    const due = { topic: 'room', change: { kind: 'joined', userId: 'bob' }, to: new Set(['w']) };
    expect([windows.end(WINDOW_MS), windows.end(WINDOW_MS)]).toEqual([[due], []]);
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
    expect(windows.end(WINDOW_MS)).toEqual([{ topic: 'room', change: { kind: 'left', userId: 'ann', info: 2 } }]);
    expect(windows.end(WINDOW_MS)).toEqual([]);
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
    expect([windows.size, [...windows.heardIn('one')]]).toEqual([1, []]);
    expect([windows.end(WINDOW_MS)[0]?.topic, windows.end(WINDOW_MS)]).toEqual(['two', []]);
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
    for (let [due] = windows.end(WINDOW_MS); due; [due] = windows.end(WINDOW_MS)) ended.push(due.change.kind);
    expect(ended).toEqual(Array.from({ length: 10 }, () => 'left'));
  });

  it('are the same for infos that are equal as JSON', () => {
    const windows = new PresenceWindows(WINDOW_MS, 10);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: { a: 1 } }, 0);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: { a: 2 } }, 0);
    windows.hear('room', { kind: 'updated', userId: 'ann', info: { a: 1 } }, 0);
    expect([isSameInfo({ a: 1 }, { a: 1 }), windows.end(WINDOW_MS)]).toEqual([true, []]);
  });
});
