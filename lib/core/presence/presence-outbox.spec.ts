import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresenceOutbox } from './presence-outbox.js';
import { PresenceTable } from './presence-table.js';
import type { PresenceChange } from './presence.js';

const TOPIC = 'chat:1';
const ann = { userId: 'ann', connections: 1 };

/** Says all that is to be said. */
function say(held: PresenceOutbox): unknown[] {
  const said = held.take(Infinity).map(({ userId, member, manner }) => [userId, member?.connections, manner]);
  held.heard();
  return said;
}

describe('presence updates', () => {
  it('say of each user only the newest, in the order in which they changed', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    held.set(TOPIC, { ...ann, connections: 2 });
    expect(say(held)).toEqual([
      ['ann', 2, 'aloud'],
      ['bob', 1, 'aloud'],
    ]);
    expect(say(held)).toEqual([]);
  });

  it('say nothing of who came and went unsaid', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.remove(TOPIC, 'ann');
    expect(held.unsaidCount).toBe(0);
    expect(say(held)).toEqual([]);
  });

  it('say in lots, and the same lot again until it has arrived', () => {
    const held = new PresenceOutbox();
    for (const userId of ['a', 'b', 'c']) held.set(TOPIC, { userId, connections: 1 });
    const lot = held.take(2);
    held.set(TOPIC, { userId: 'a', connections: 2 });
    expect(held.take(2)).toEqual(lot);
    held.heard();
    expect(say(held)).toEqual([
      ['c', 1, 'aloud'],
      ['a', 2, 'aloud'],
    ]);
  });

  it('say that somebody is gone who went while it was being said', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.take(1);
    held.remove(TOPIC, 'ann');
    held.heard();
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
    expect(held.unsaidCount).toBe(0);
  });

  it('say all anew when the node was taken for dead, and nothing of those who are gone', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    say(held);
    held.remove(TOPIC, 'bob');
    held.forgotten();
    expect(say(held)).toEqual([['ann', 1, 'aloud']]);
  });

  it('say silently what was known when all was lost, and aloud what was not', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    held.lost();
    expect(say(held)).toEqual([
      ['bob', 1, 'aloud'],
      ['ann', 1, 'silently'],
    ]);
  });

  it('are restored when all who were known before a loss were said again, whoever else came since', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    held.set(TOPIC, { userId: 'bob', connections: 1 });
    say(held);
    expect(held.isRestored).toBe(true);
    held.lost();
    held.take(1);
    held.heard();
    held.set(TOPIC, { userId: 'cem', connections: 1 });
    expect(held.isRestored).toBe(false);
    held.take(1);
    held.heard();
    expect(held.isRestored).toBe(true);
    expect(say(held)).toEqual([['cem', 1, 'aloud']]);
  });

  it('are restored when the node was taken for dead: those who were known have left', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    held.forgotten();
    expect(held.isRestored).toBe(true);
  });

  it('say with each user what is shown, and since when', () => {
    const held = new PresenceOutbox();
    const infos = () => held.take(1).map(({ member, since }) => [member?.info, since]);
    held.set(TOPIC, { ...ann, info: 'a' }, 10);
    expect(infos()).toEqual([['a', 10]]);
    held.heard();
    held.set(TOPIC, { ...ann, connections: 2 }, 20);
    expect(infos()).toEqual([['a', 10]]);
    held.heard();
    held.set(TOPIC, { ...ann, info: 'b' }, 30);
    held.lost();
    expect(infos()).toEqual([['b', 30]]);
  });

  it('say again those who were said silently, when all had been told that they left', () => {
    const held = new PresenceOutbox();
    for (const userId of ['ann', 'bob']) held.set(TOPIC, { userId, connections: 1 });
    say(held);
    held.lost();
    held.set(TOPIC, { userId: 'cem', connections: 1 });
    say(held);
    held.set(TOPIC, { ...ann, connections: 2 });
    held.remove(TOPIC, 'bob');
    say(held);
    held.buried();
    expect(say(held)).toEqual([['ann', 2, 'again']]);
    held.buried();
    expect(say(held)).toEqual([]);
  });

  it('say nobody again when nobody has remembered it for long', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.lost();
    say(held);
    held.assured();
    held.buried();
    expect(say(held)).toEqual([]);
  });

  it('say that who went while all was lost is there, and gone once the others have said theirs', () => {
    const held = new PresenceOutbox();
    held.set(TOPIC, ann);
    say(held);
    held.remove(TOPIC, 'ann');
    held.lost();
    expect(say(held)).toEqual([['ann', 0, 'silently']]);
    expect(say(held)).toEqual([]);
    held.settle();
    expect(say(held)).toEqual([['ann', undefined, 'aloud']]);
  });
});

const NODES = 3;
const USERS = ['ann', 'bob', 'cem'];

type Step = readonly [
  kind: 'set' | 'remove' | 'say' | 'sayUnanswered' | 'bury' | 'lose',
  node: number,
  user: string,
  connections: number,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('set', 'set', 'remove', 'remove', 'say', 'say', 'sayUnanswered', 'bury', 'lose'),
  fc.nat(NODES - 1),
  fc.constantFrom(...USERS),
  fc.nat(3),
);

/** Nodes that say what they have to one table, which may lose it, or take one of them for dead. */
class Scene {
  readonly nodes = Array.from({ length: NODES }, () => ({
    held: new PresenceOutbox(),
    has: new Map<string, number>(),
    incarnation: 0,
    isEntered: true,
    /** The table's answer to the batch in flight, if there is one. */
    answered: false,
    epoch: 0,
  }));
  readonly news: PresenceChange[] = [];
  table = new PresenceTable();
  epoch = 0;

  take([kind, index, userId, connections]: Step): void {
    const node = this.nodes[index]!;
    switch (kind) {
      case 'set':
        node.has.set(userId, connections);
        return node.held.set(TOPIC, { userId, connections });
      case 'remove':
        node.has.delete(userId);
        return node.held.remove(TOPIC, userId);
      case 'say':
        return this.say(index, true);
      case 'sayUnanswered':
        return this.say(index, false);
      case 'bury':
        // By then every node has noticed a loss and reported all its entries again.
        if (this.nodes.some(({ epoch }) => epoch !== this.epoch)) return;
        node.isEntered = false;
        return this.tell(this.table.drop(this.name(index)).map(([, change]) => change));
      case 'lose':
        // A node that was just declared dead cannot know that its leaves were announced.
        if (this.nodes.some(({ isEntered, epoch }) => !isEntered && epoch === this.epoch)) return;
        this.table = new PresenceTable();
        this.epoch += 1;
        for (const each of this.nodes) each.isEntered = false;
    }
  }

  say(index: number, isAnswered: boolean): void {
    const node = this.nodes[index]!;
    if (!node.isEntered) {
      if (node.epoch === this.epoch) node.held.forgotten();
      else node.held.lost();
      node.epoch = this.epoch;
      node.incarnation += 1;
      node.isEntered = true;
      node.answered = false;
    }
    const lot = node.held.take(2);
    // The table knows a lot that it has heard, and does nothing twice.
    if (!node.answered) {
      for (const { userId, member, manner } of lot) {
        const change = member
          ? this.table.set(this.name(index), TOPIC, member)
          : this.table.remove(this.name(index), TOPIC, userId);
        if (change && manner === 'aloud') this.tell([change]);
      }
    }
    node.answered = !isAnswered && lot.length > 0;
    if (isAnswered) node.held.heard();
  }

  /** Lets every node report all its entries. */
  end(): void {
    const all = () => {
      for (const [index, { held }] of this.nodes.entries()) {
        do this.say(index, true);
        while (held.unsaidCount > 0);
      }
    };
    all();
    for (const { held } of this.nodes) held.settle();
    all();
  }

  get expected(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { has } of this.nodes) {
      for (const [userId, connections] of has) sums[userId] = (sums[userId] ?? 0) + connections;
    }
    return sums;
  }

  get present(): Record<string, number> {
    const { users } = this.table.read(TOPIC, Infinity);
    return Object.fromEntries(users.map(({ userId, connections }) => [userId, connections]));
  }

  kindsOf(user: string): string[] {
    return this.news.filter(({ userId }) => userId === user).map(({ kind }) => kind);
  }

  private tell(changes: readonly PresenceChange[]): void {
    this.news.push(...changes);
  }

  private name(index: number): string {
    return `${index}.${this.nodes[index]!.incarnation}`;
  }
}

describe('What nodes say of whom they hold', () => {
  it('ends in what they hold, whatever was lost, unanswered or taken for dead on the way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const scene = new Scene();
        for (const each of steps) scene.take(each);
        scene.end();
        expect(scene.present).toEqual(scene.expected);
        // The newest announcement of each user must match the truth.
        for (const user of USERS) {
          expect(scene.kindsOf(user).at(-1) === 'joined').toBe(user in scene.present);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is told as joins and leaves in turn, while nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const scene = new Scene();
        for (const each of steps) if (each[0] !== 'lose') scene.take(each);
        scene.end();
        for (const user of USERS) {
          const kinds = scene.kindsOf(user);
          expect(kinds).toEqual(kinds.map((_, i) => ['joined', 'left'][i % 2]));
        }
      }),
      { numRuns: 500 },
    );
  });
});
