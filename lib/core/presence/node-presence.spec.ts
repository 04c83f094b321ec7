import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodePresence, type NodePresenceChange } from './node-presence.js';

const GRACE = 3;
const CONNECTIONS = ['ann.1', 'ann.2', 'ann.3', '__proto__.1', '__proto__.2'];
const TOPICS = ['chat:1', 'constructor'];
const INFOS = [undefined, { name: 'a' }, { name: 'b' }];

type Step =
  | { readonly kind: 'enter'; readonly topic: string; readonly connection: string; readonly info: unknown }
  | { readonly kind: 'leave' | 'drop'; readonly topic: string; readonly connection: string }
  | { readonly kind: 'tick' };

const steps = (): fc.Arbitrary<Step[]> => {
  const at = { topic: fc.constantFrom(...TOPICS), connection: fc.constantFrom(...CONNECTIONS) };
  return fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('enter' as const), ...at, info: fc.constantFrom(...INFOS) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), ...at }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('drop' as const), ...at }) },
      { weight: 4, arbitrary: fc.constant({ kind: 'tick' as const }) },
    ),
    { maxLength: 60, size: 'max' },
  );
};

/** The state of a user in a topic, as a receiver of the changes sees it. */
type Members = Map<string, { readonly info?: unknown; readonly connections: number }>;

/** Does the steps, and keeps what is said of them. */
function told(presence: NodePresence, list: readonly Step[]): { statements: NodePresenceChange[][]; members: Members } {
  const members: Members = new Map();
  const statements = list.map((step) => {
    const said = changesOf(presence, step);
    for (const statement of said) {
      if (statement.kind === 'remove') members.delete(`${statement.topic} ${statement.userId}`);
      else {
        const { userId, ...rest } = statement.member;
        members.set(`${statement.topic} ${userId}`, rest);
      }
    }
    return said;
  });
  return { statements, members };
}

function changesOf(presence: NodePresence, step: Step): NodePresenceChange[] {
  if (step.kind === 'tick') return [...presence.tick()];
  const [userId = ''] = step.connection.split('.');
  const statement =
    step.kind === 'enter'
      ? presence.enter(step.topic, userId, step.connection, step.info)
      : presence[step.kind](step.topic, userId, step.connection);
  return statement ? [statement] : [];
}

/** The same from the whole story, in the plainest way: for each user and topic what has happened, one step after the other. */
function expected(list: readonly Step[]): Members {
  const members: Members = new Map();
  for (const topic of TOPICS) {
    for (const userId of ['ann', '__proto__']) {
      let connections: { readonly id: string; readonly info: unknown }[] = [];
      let info: unknown;
      let ticksLeft = 0;
      for (const step of list) {
        if (step.kind === 'tick') ticksLeft = Math.max(0, ticksLeft - 1);
        else if (step.topic === topic && step.connection.startsWith(`${userId}.`)) {
          const { connection: id } = step;
          const known = connections.find((each) => each.id === id);
          const others = connections.filter((each) => each !== known);
          if (step.kind !== 'enter') {
            connections = others;
            if (known && step.kind === 'drop') ticksLeft = GRACE + 1;
          } else if (!known || (step.info !== undefined && step.info !== known.info)) {
            connections = [...others, { id, info: step.info }];
          }
        }
        const isThere = connections.length > 0 || ticksLeft > 0;
        info = connections.findLast((each) => each.info !== undefined)?.info ?? (isThere ? info : undefined);
      }
      const rest = { ...(info !== undefined && { info }), connections: connections.length };
      if (connections.length > 0 || ticksLeft > 0) members.set(`${topic} ${userId}`, rest);
    }
  }
  return members;
}

describe('what a node says about who is in its topics', () => {
  it('adds up to who is there, whatever has happened', () => {
    fc.assert(
      fc.property(steps(), (list) => {
        expect(told(new NodePresence(GRACE), list).members).toEqual(expected(list));
      }),
      { numRuns: 500 },
    );
  });

  it('says nothing that was said before', () => {
    fc.assert(
      fc.property(steps(), (list) => {
        const { statements } = told(new NodePresence(GRACE), list);
        const last = new Map<string, string>();
        for (const statement of statements.flat()) {
          const userId = statement.kind === 'set' ? statement.member.userId : statement.userId;
          const key = `${statement.topic} ${userId}`;
          expect(last.get(key) ?? JSON.stringify({ kind: 'remove', topic: statement.topic, userId })).not.toBe(
            JSON.stringify(statement),
          );
          last.set(key, JSON.stringify(statement));
        }
      }),
    );
  });

  it('ends with nobody once all have gone and been waited for', () => {
    fc.assert(
      fc.property(steps(), (list) => {
        const farewell = TOPICS.flatMap((topic) =>
          CONNECTIONS.map((connection) => ({ kind: 'drop', topic, connection })),
        );
        const ticks = Array.from({ length: GRACE + 1 }, () => ({ kind: 'tick' }));
        const { members } = told(new NodePresence(GRACE), [...list, ...farewell, ...ticks] as Step[]);
        expect(members.size).toBe(0);
      }),
    );
  });
});

describe('a user', () => {
  const enter = (connection = 'ann.1', info?: unknown): Step => ({ kind: 'enter', topic: 'chat:1', connection, info });
  const leave = (connection = 'ann.1'): Step => ({ kind: 'leave', topic: 'chat:1', connection });
  const drop = (connection = 'ann.1'): Step => ({ kind: 'drop', topic: 'chat:1', connection });
  const TICK: Step = { kind: 'tick' };
  const ANN = { userId: 'ann', connections: 1 };
  const set = (member: object) => [{ kind: 'set', topic: 'chat:1', member, since: 0 }];
  const REMOVED = [{ kind: 'remove', topic: 'chat:1', userId: 'ann' }];
  const lastOf = (list: Step[], graceTicks = GRACE) => told(new NodePresence(graceTicks), list).statements.at(-1);

  it('is there with the first connection', () => {
    expect(lastOf([enter('ann.1', { name: 'Ann' })])).toEqual(set({ ...ANN, info: { name: 'Ann' } }));
  });

  it('has one entry with all connections', () => {
    expect(lastOf([enter(), enter('ann.2')])).toEqual(set({ ...ANN, connections: 2 }));
  });

  it('leaves with the last connection that was meant to, at once', () => {
    expect(lastOf([enter(), enter('ann.2'), leave('ann.2'), leave()])).toEqual(REMOVED);
  });

  it('stays for the grace period of a dropped connection when another one leaves on purpose', () => {
    const phoneDrops = [enter('ann.phone'), enter('ann.laptop'), drop('ann.phone')];
    const laptop = leave('ann.laptop');
    expect(lastOf([...phoneDrops, laptop])).toEqual(set({ ...ANN, connections: 0 }));
    expect(lastOf([...phoneDrops, laptop, TICK, TICK, TICK])).toEqual([]);
    expect(lastOf([...phoneDrops, laptop, TICK, TICK, TICK, TICK])).toEqual(REMOVED);
    expect(lastOf([...phoneDrops, TICK, TICK, TICK, TICK, laptop])).toEqual(REMOVED);
  });

  it('is waited for without a connection when the last one dropped', () => {
    expect(lastOf([enter(), drop()])).toEqual(set({ ...ANN, connections: 0 }));
  });

  it('is waited for at least as long as was said', () => {
    expect(lastOf([enter(), drop(), TICK, TICK, TICK])).toEqual([]);
  });

  it('leaves when that time is over', () => {
    expect(lastOf([enter(), drop(), TICK, TICK, TICK, TICK])).toEqual(REMOVED);
  });

  it('is waited for anew after each drop', () => {
    expect(lastOf([enter(), drop(), TICK, TICK, TICK, enter('ann.2'), drop('ann.2'), TICK])).toEqual([]);
  });

  it('is not waited for when there is no such time', () => {
    expect(lastOf([enter(), drop()], 0)).toEqual(REMOVED);
  });

  it('has an info that is said anew', () => {
    expect(lastOf([enter('ann.1', { name: 'a' }), enter('ann.2', { name: 'b' })])).toEqual(
      set({ userId: 'ann', info: { name: 'b' }, connections: 2 }),
    );
  });

  it.each([
    ['comes without one', [enter('ann.2')], { name: 'a' }, 2],
    ['drops', [drop()], { name: 'a' }, 0],
    ['that is newer comes and leaves', [enter('ann.2', { name: 'b' }), leave('ann.2')], { name: 'a' }, 1],
    ['that is older leaves', [enter('ann.2', { name: 'b' }), leave('ann.1')], { name: 'b' }, 1],
    ['gives another one later', [enter('ann.2', { name: 'b' }), enter('ann.1', { name: 'c' })], { name: 'c' }, 2],
  ])('has the info of the newest connection that is there when one %s', (_what, list, info, connections) => {
    expect(lastOf([enter('ann.1', { name: 'a' }), ...list])).toEqual(set({ userId: 'ann', info, connections }));
  });
});
