import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PresenceNews, PresencePicture } from './presence-position.js';
import type { PresenceChange } from './presence.js';
import { ToldPicture, type Correction } from './told-picture.js';

/** A topic, the line that its news come over, and a watcher that applies what it is told. */
class Scene {
  readonly picture: ToldPicture;
  readonly users = new Map<string, number>();
  readonly told: PresenceChange[] = [];
  readonly watcher = new Map<string, unknown>();
  resets = 0;
  #epoch = 1;
  #changes = 0;
  /** The number of the topic's newest change; nothing is kept of an empty topic. */
  #newest = 0;
  #line: PresenceNews[] = [];
  #reading: { at: { epoch: string; sequence: number }; users: Map<string, unknown>; left: string[] } | undefined;

  constructor(limit = 100) {
    this.picture = new ToldPicture(limit);
  }

  change(userId: string, info: number | undefined): void {
    const isThere = this.users.has(userId);
    if (info === undefined ? !isThere : this.users.get(userId) === info) return;
    const kind = info === undefined ? 'left' : isThere ? 'updated' : 'joined';
    if (info === undefined) this.users.delete(userId);
    else this.users.set(userId, info);
    const at = { epoch: `${this.#epoch}`, sequence: ++this.#changes, previous: this.#newest };
    this.#newest = this.users.size === 0 ? 0 : this.#changes;
    this.#line.push({ kind, userId, ...(info !== undefined && { info }), at });
  }

  /** The data is kept by another server from now on. */
  beginEpoch(): void {
    this.#epoch += 1;
    // Present users are reported again silently, under a number that is not published.
    this.#changes = this.#newest = this.users.size > 0 ? 1 : 0;
  }

  arrive(count = Infinity): void {
    for (const news of this.#line.splice(0, count)) for (const change of this.picture.hear(news)) this.#tell(change);
  }

  /** News that nobody has sent arrive. @param ahead of the topic's newest change, by so many */
  forge(userId: string, ahead: number, isChained: boolean): void {
    const place = { epoch: `${this.#epoch}`, sequence: this.#changes + ahead };
    const at = { ...place, previous: isChained ? this.#newest : this.#newest + 1 };
    for (const change of this.picture.hear({ kind: 'joined', userId, at })) this.#tell(change);
  }

  lose(count: number): void {
    this.#line.splice(0, count);
  }

  read(): void {
    if (this.#reading) return this.page(Infinity);
    this.picture.begin();
    const at = { epoch: `${this.#epoch}`, sequence: this.#newest };
    this.#reading = { at, users: new Map(), left: ['a', 'b', 'c', 'd', ...this.users.keys()] };
  }

  /** Reads on: of users that changed since the first page, any state may be found. */
  page(count: number): void {
    const reading = this.#reading;
    if (!reading) return;
    for (const userId of reading.left.splice(0, count)) {
      if (this.users.has(userId)) reading.users.set(userId, this.users.get(userId));
    }
    if (reading.left.length > 0) return;
    this.#reading = undefined;
    const isOver = reading.at.epoch !== `${this.#epoch}`;
    if (isOver) return this.picture.failed();
    this.correct(this.picture.compare({ at: reading.at, isWhole: true, users: reading.users }));
  }

  correct({ changes, isReset }: Correction): void {
    changes.forEach((change) => this.#tell(change));
    if (isReset) this.resets += 1;
  }

  look(isLate: boolean): void {
    this.picture.look({ epoch: `${this.#epoch}`, sequence: this.#newest }, isLate);
  }

  /** A watcher reads once there is a picture to compare with. */
  start(): void {
    this.read();
    this.page(Infinity);
    for (const [userId, info] of this.users) this.watcher.set(userId, info);
  }

  /** The node looks as it does all the time, and reads for as long as it doubts. */
  repair(): void {
    for (let time = 0; time < 3; time++) {
      this.arrive();
      this.look(false);
      for (let again = 0; this.picture.isDoubtful && again < 3; again++) {
        this.read();
        this.page(Infinity);
      }
    }
  }

  /** The line works again: what is under way arrives, and the node looks and reads for as long as it doubts. */
  settle(): void {
    this.arrive();
    this.page(Infinity);
    this.look(true);
    for (let time = 0; this.picture.isDoubtful && time < 3; time++) {
      this.read();
      this.page(Infinity);
    }
  }

  #tell(change: PresenceChange): void {
    const { kind, userId, info } = change;
    // Once and in order: no join of who is there, no leave of who is not.
    expect([kind, userId, this.watcher.has(userId)]).toEqual([kind, userId, kind !== 'joined']);
    this.told.push(change);
    if (kind === 'left') this.watcher.delete(userId);
    else this.watcher.set(userId, info);
  }
}

type Step =
  | { readonly kind: 'change'; readonly userId: string; readonly info: number | undefined }
  | { readonly kind: 'arrive' | 'lose' | 'page'; readonly count: number }
  | { readonly kind: 'read' | 'epoch' }
  | { readonly kind: 'forge'; readonly ahead: number; readonly isChained: boolean }
  | { readonly kind: 'look'; readonly isLate: boolean };

const count = fc.integer({ min: 1, max: 3 });
const losing: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('lose' as const), count });
const forging: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('forge' as const),
  ahead: fc.constantFrom(-1, 0, 1, 2, 1e15),
  isChained: fc.boolean(),
});

/** A course of events. @param fault what goes wrong now and then */
function stepsWith(fault: fc.Arbitrary<Step>): fc.Arbitrary<Step[]> {
  const change = fc.record({
    kind: fc.constant('change' as const),
    userId: fc.constantFrom('a', 'b', 'c', 'd'),
    info: fc.constantFrom(undefined, undefined, 1, 2),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: change },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('arrive' as const), count }) },
    { weight: 2, arbitrary: fault },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('page' as const), count }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'read' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'epoch' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const), isLate: fc.boolean() }) },
  );
  return fc.array(step, { maxLength: 60, size: 'max' });
}

function run(scene: Scene, list: readonly Step[]): void {
  for (const step of list) {
    if (step.kind === 'change') scene.change(step.userId, step.info);
    else if (step.kind === 'arrive') scene.arrive(step.count);
    else if (step.kind === 'lose') scene.lose(step.count);
    else if (step.kind === 'page') scene.page(step.count);
    else if (step.kind === 'read') scene.read();
    else if (step.kind === 'epoch') scene.beginEpoch();
    else if (step.kind === 'forge') scene.forge('mallory', step.ahead, step.isChained);
    else if (step.kind === 'look') scene.look(step.isLate);
  }
}

describe('a told picture', () => {
  it('equals who is there after whatever was lost, and each change is told once and in order', () => {
    fc.assert(
      fc.property(stepsWith(losing), (list) => {
        const scene = new Scene();
        scene.change('a', 1);
        scene.arrive();
        scene.start();
        run(scene, list);
        scene.settle();
        expect(scene.watcher).toEqual(scene.users);
        expect(scene.picture.isDoubtful).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps no user who came while an empty topic was read, and whose join and leave were lost', () => {
    const scene = new Scene();
    scene.change('a', 1);
    scene.arrive();
    scene.start();
    scene.change('a', undefined);
    scene.beginEpoch();
    scene.read();
    scene.change('b', 1);
    scene.page(Infinity);
    scene.change('b', undefined);
    scene.lose(3);
    scene.settle();
    expect([...scene.watcher.keys()]).toEqual([]);
  });

  it('would keep ghosts if what was told were not compared', () => {
    const scene = new Scene();
    scene.change('a', 1);
    scene.arrive();
    scene.start();
    scene.change('a', undefined);
    scene.lose(1);
    scene.arrive();
    expect(scene.watcher).not.toEqual(scene.users);
    scene.settle();
    expect(scene.watcher).toEqual(scene.users);
  });

  it('tells a watcher of its own join also when the first read was faster', () => {
    const scene = new Scene();
    scene.change('b', 1);
    scene.change('b', undefined);
    scene.change('a', 1);
    scene.read();
    scene.page(Infinity);
    scene.arrive();
    expect(scene.told).toEqual([{ kind: 'joined', userId: 'a', info: 1 }]);
  });

  it('finds a gap by the next change', () => {
    const scene = new Scene();
    scene.start();
    scene.change('a', 1);
    scene.lose(1);
    scene.change('b', 1);
    scene.arrive();
    // The first change follows an empty topic, and the second is chained to the first.
    expect(scene.picture.isDoubtful).toBe(true);
  });

  it('finds that the last change is missing when it has not arrived between two looks', () => {
    const scene = new Scene();
    scene.change('a', 1);
    scene.arrive();
    scene.start();
    scene.change('b', 1);
    scene.look(false);
    expect(scene.picture.isDoubtful).toBe(false);
    scene.lose(1);
    scene.look(false);
    expect(scene.picture.isDoubtful).toBe(true);
  });

  it('does not doubt for news that arrive between two looks', () => {
    const scene = new Scene();
    scene.start();
    for (const userId of ['a', 'b', 'c']) {
      scene.change(userId, 1);
      scene.look(false);
      scene.arrive();
      expect(scene.picture.isDoubtful).toBe(false);
    }
  });

  it('tells joins at once and leaves only when all nodes have said theirs, after data was lost', () => {
    const picture = new ToldPicture(10);
    const at = { epoch: '1', sequence: 2 };
    const read = (over: Partial<PresencePicture>) => {
      picture.begin();
      return picture
        .compare({ at, isWhole: true, users: new Map(), ...over })
        .changes.map((c) => `${c.kind} ${c.userId}`);
    };
    read({
      users: new Map([
        ['ann', undefined],
        ['bob', undefined],
      ]),
    });
    picture.doubt();
    const next = { epoch: '2', sequence: 1 };
    expect(read({ at: next, isWhole: false, users: new Map([['cem', undefined]]) })).toEqual(['joined cem']);
    expect(picture.isDoubtful).toBe(true);
    expect(
      read({
        at: next,
        users: new Map([
          ['cem', undefined],
          ['ann', undefined],
        ]),
      }),
    ).toEqual(['left bob']);
    expect(picture.isDoubtful).toBe(false);
  });
});

describe('a told picture to which somebody has forged news', () => {
  it('equals who is there after three looks, whatever was forged', () => {
    fc.assert(
      fc.property(stepsWith(forging), (list) => {
        const scene = new Scene();
        scene.change('a', 1);
        scene.arrive();
        scene.start();
        run(scene, list);
        scene.page(Infinity);
        scene.repair();
        expect(scene.watcher).toEqual(scene.users);
        expect(scene.picture.isDoubtful).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  /** Ann is there; then the news of mallory arrive. */
  function forged(ahead: number, isChained: boolean): Scene {
    const scene = new Scene();
    scene.change('ann', 1);
    scene.arrive();
    scene.start();
    scene.forge('mallory', ahead, isChained);
    expect(scene.watcher.has('mallory')).toBe(true);
    return scene;
  }

  it('is doubted at once if the news do not follow the last, and hears what comes afterwards', () => {
    const scene = forged(1e15, false);
    expect(scene.picture.isDoubtful).toBe(true);
    scene.read();
    scene.page(Infinity);
    expect(scene.watcher).toEqual(scene.users);
    scene.change('bob', 1);
    scene.arrive();
    expect(scene.watcher).toEqual(scene.users);
    expect(scene.picture.isDoubtful).toBe(false);
  });

  it('is doubted at the second look if they seem to follow it', () => {
    const scene = forged(1e15, true);
    scene.look(false);
    expect(scene.picture.isDoubtful).toBe(false);
    scene.look(false);
    expect(scene.picture.isDoubtful).toBe(true);
  });

  it('is doubted with the next news if they took the number of these', () => {
    const scene = forged(1, true);
    scene.change('bob', 1);
    scene.arrive();
    expect(scene.picture.isDoubtful).toBe(true);
  });

  it('does not doubt what arrives after a read that has it already', () => {
    const scene = new Scene();
    scene.start();
    scene.change('ann', 1);
    scene.picture.doubt();
    scene.read();
    scene.page(Infinity);
    scene.arrive();
    expect([scene.picture.isDoubtful, scene.told]).toEqual([false, [{ kind: 'joined', userId: 'ann', info: 1 }]]);
  });

  it('is a reset above the limit', () => {
    const scene = new Scene(2);
    scene.start();
    for (const userId of ['a', 'b', 'c', 'd']) scene.change(userId, 1);
    scene.arrive();
    scene.forge('mallory', 1e15, true);
    scene.look(false);
    scene.look(false);
    scene.picture.begin();
    scene.correct(scene.picture.tooLarge());
    expect([scene.picture.isDoubtful, scene.resets]).toEqual([false, 1]);
    scene.change('e', 1);
    scene.arrive();
    expect(scene.told.at(-1)).toMatchObject({ kind: 'joined', userId: 'e' });
  });
});

describe('a told picture of more users than its limit', () => {
  it('hands news on, and is a reset after a gap', () => {
    const scene = new Scene(2);
    scene.start();
    for (const userId of ['a', 'b', 'c', 'd']) scene.change(userId, 1);
    scene.arrive();
    expect(scene.told).toHaveLength(4);
    expect([scene.picture.isDoubtful, scene.resets]).toEqual([false, 0]);
    scene.change('a', undefined);
    scene.lose(1);
    scene.change('b', 2);
    scene.arrive();
    expect(scene.picture.isDoubtful).toBe(true);
    scene.picture.begin();
    scene.correct(scene.picture.tooLarge());
    expect([scene.picture.isDoubtful, scene.resets]).toEqual([false, 1]);
  });

  it('is a reset also when a read finds more than was told', () => {
    const scene = new Scene(2);
    scene.start();
    for (const userId of ['a', 'b', 'c', 'd']) scene.change(userId, 1);
    scene.lose(4);
    scene.settle();
    expect([scene.told, scene.resets]).toEqual([[], 1]);
  });
});
