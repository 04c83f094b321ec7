import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresenceTable } from './presence-table.js';

const HOLDERS = ['n1', 'n2', 'n3'];
const TOPICS = ['chat:1', 'chat:2', '__proto__'];
const USERS = ['ann', 'bob', 'constructor', '__proto__'];

type Step =
  | {
      readonly kind: 'set';
      readonly holder: string;
      readonly topic: string;
      readonly userId: string;
      readonly connections: number;
      readonly info: string | undefined;
    }
  | { readonly kind: 'remove'; readonly holder: string; readonly topic: string; readonly userId: string }
  | { readonly kind: 'drop'; readonly holder: string };

const steps = (): fc.Arbitrary<Step[]> => {
  const holder = fc.constantFrom(...HOLDERS);
  const where = { holder, topic: fc.constantFrom(...TOPICS), userId: fc.constantFrom(...USERS) };
  const said = { connections: fc.nat(3), info: fc.constantFrom('a', 'b', undefined) };
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), ...where, ...said }) },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove' as const), ...where }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), holder }) },
    ),
    { maxLength: 80, size: 'max' },
  );
};

interface Said {
  readonly holder: string;
  readonly topic: string;
  readonly userId: string;
  readonly connections: number;
  readonly info: string | undefined;
  readonly since: number;
}

/** The reports of each holder, as a plain list. */
class Model {
  said: Said[] = [];
  #time = 0;

  take(step: Step): string[] {
    const before = this.shown();
    const isSame = (each: Said) =>
      each.holder === step.holder &&
      (step.kind === 'drop' || (each.topic === step.topic && each.userId === step.userId));
    const last = this.said.find(isSame);
    this.said = this.said.filter((each) => !isSame(each));
    if (step.kind === 'set') {
      const isKept = last !== undefined && (step.info ?? last.info) === last.info;
      const { info, since } = isKept ? last : { info: step.info, since: ++this.#time };
      this.said.push({ ...step, info, since });
    }
    const after = this.shown();
    return [
      ...[...after.keys()].filter((pair) => !before.has(pair)).map((pair) => `joined ${pair}`),
      ...[...before.keys()].filter((pair) => !after.has(pair)).map((pair) => `left ${pair}`),
      ...[...after]
        .filter(([pair, info]) => before.has(pair) && before.get(pair) !== info)
        .map(([pair]) => `updated ${pair}`),
    ];
  }

  /** The newest info of each user. */
  shown(): Map<string, string | undefined> {
    const shown = new Map<string, string | undefined>();
    for (const { topic, userId, info } of this.said.toSorted((a, b) => a.since - b.since)) {
      const pair = `${topic} ${userId}`;
      shown.set(pair, info ?? shown.get(pair));
    }
    return shown;
  }
}

function apply(table: PresenceTable, step: Step): string[] {
  switch (step.kind) {
    case 'set': {
      const { holder, topic, userId, connections, info } = step;
      const change = table.set(holder, topic, { userId, connections, info });
      return change ? [`${change.kind} ${topic} ${change.userId}`] : [];
    }
    case 'remove': {
      const change = table.remove(step.holder, step.topic, step.userId);
      return change ? [`${change.kind} ${step.topic} ${change.userId}`] : [];
    }
    case 'drop':
      return table.drop(step.holder).map(([topic, change]) => `${change.kind} ${topic} ${change.userId}`);
  }
}

describe('PresenceTable', () => {
  it('agrees with a plain list of what was said, after any changes', () => {
    fc.assert(
      fc.property(steps(), (list) => {
        const [table, model] = [new PresenceTable(), new Model()];
        for (const step of list) expect(apply(table, step).sort()).toEqual(model.take(step).sort());
        for (const topic of TOPICS) {
          const there = model.said.filter((each) => each.topic === topic);
          const users = [...new Set(there.map(({ userId }) => userId))].sort();
          const sum = (those: typeof there) => those.reduce((total, { connections }) => total + connections, 0);
          const presence = table.read(topic, Infinity);
          expect(presence.users.toSorted((a, b) => (a.userId < b.userId ? -1 : 1))).toEqual(
            users.map((userId) => ({
              userId,
              info: model.shown().get(`${topic} ${userId}`),
              connections: sum(there.filter((each) => each.userId === userId)),
            })),
          );
          expect(presence).toMatchObject({ topic, userCount: users.length, connectionCount: sum(there) });
        }
        expect(table.topicCount).toBe(new Set(model.said.map(({ topic }) => topic)).size);
      }),
    );
  });

  it('shows the newest info of those who are there', () => {
    const table = new PresenceTable();
    table.set('n1', 'chat:1', { userId: 'ann', connections: 1, info: 'first' });
    const say = (info: string) => ({ kind: 'updated', userId: 'ann', info });
    expect(table.set('n2', 'chat:1', { userId: 'ann', connections: 1, info: 'last' })).toEqual(say('last'));
    expect(table.remove('n2', 'chat:1', 'ann')).toEqual(say('first'));
    expect(table.remove('n1', 'chat:1', 'ann')).toEqual({ kind: 'left', userId: 'ann', info: 'first' });
  });

  it('shows what the application sets until a newer connection comes, and again when that has gone', () => {
    const table = new PresenceTable();
    const info = () => table.read('chat:1', 1).users[0]?.info;
    table.set('n1', 'chat:1', { userId: 'ann', connections: 1, info: 'first' }, 10);
    expect(table.update('chat:1', 'ann', 'set', 20)).toMatchObject({ isThere: true, change: { info: 'set' } });
    expect(table.set('n1', 'chat:1', { userId: 'ann', connections: 2, info: 'first' }, 10)).toBeUndefined();
    table.set('n2', 'chat:1', { userId: 'ann', connections: 1, info: 'newer' }, 30);
    expect(info()).toBe('newer');
    table.remove('n2', 'chat:1', 'ann');
    expect(info()).toBe('set');
    expect(table.update('chat:1', 'bob', 'set')).toEqual({ isThere: false });
  });

  it('lists at most so many, and counts all', () => {
    const table = new PresenceTable();
    for (let i = 0; i < 5; i++) table.set('n1', 'chat:1', { userId: `user-${i}`, connections: 2 });
    expect(table.read('chat:1', 2)).toEqual({
      topic: 'chat:1',
      users: [
        { userId: 'user-0', connections: 2 },
        { userId: 'user-1', connections: 2 },
      ],
      userCount: 5,
      connectionCount: 10,
    });
  });
});
