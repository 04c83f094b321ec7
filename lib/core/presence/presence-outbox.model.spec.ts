import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresenceOutbox, type PresenceUpdate } from './presence-outbox.js';

const TOPIC = 'chat:1';
const NODES = 3;
const USERS = ['ann', 'bob', 'cem'];

/** `gone`: no change, but a report that was ignored. */
type Change = readonly [kind: 'joined' | 'left' | 'gone', userId: string];

type Step = readonly [
  kind: 'set' | 'remove' | 'say' | 'sayUnanswered' | 'settle' | 'bury' | 'lose' | 'calm',
  node: number,
  user: string,
  connections: number,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    ...(['set', 'set', 'remove', 'remove', 'say', 'say', 'sayUnanswered', 'settle', 'bury', 'lose', 'calm'] as const),
  ),
  fc.nat(NODES - 1),
  fc.constantFrom(...USERS),
  fc.nat(3),
);

/** A node with its outbox, and what it remembers of the store. */
class Node {
  readonly held = new PresenceOutbox();
  readonly has = new Map<string, number>();
  epoch = 0;
  incarnation = 1;
  /** Its incarnations before losses of data, as long as other nodes may know more about them. */
  formers: string[] = [];
  readonly seenDead = new Set<string>();

  constructor(readonly id: number) {}

  get name(): string {
    return `${this.id}.${this.incarnation}`;
  }
}

/** The data in Redis, until it is lost. */
class Store {
  /** The connections of each user, by the incarnation that reported them. */
  readonly held = new Map<string, Map<string, number>>();
  /** Users whose leave was announced. A node that does not know that may still report them silently. */
  readonly gone = new Set<string>();
  readonly buried = new Set<string>();
  /** The reply to the last call of an incarnation, until it has arrived. */
  readonly replies = new Map<string, readonly Change[]>();

  constructor(readonly epoch: number) {}

  /** @returns the announced changes */
  put(name: string, { userId, member, manner }: PresenceUpdate): Change[] {
    if (member === undefined) return this.take(name, userId);
    if (manner === 'leaving' && this.gone.has(userId)) return [['gone', userId]];
    const isElsewhere = this.isElsewhere(name, userId);
    const had = this.held.get(name)!;
    const isJoin = !isElsewhere && (manner === 'again' || !had.has(userId));
    had.set(userId, member.connections);
    const isBack = isJoin && this.gone.delete(userId);
    if (!isJoin || (!isBack && (manner === 'silently' || manner === 'leaving'))) return [];
    return [['joined', userId]];
  }

  take(name: string, userId: string): Change[] {
    if (!this.held.get(name)?.delete(userId)) return [];
    if (this.isElsewhere(name, userId)) return [];
    this.gone.add(userId);
    return [['left', userId]];
  }

  isElsewhere(name: string, userId: string): boolean {
    return [...this.held].some(([other, users]) => other !== name && users.has(userId));
  }

  /** Ends the entries of an incarnation. */
  drop(name: string): Change[] {
    const changes = [...this.held.get(name)!.keys()].flatMap((userId) => this.take(name, userId));
    this.held.delete(name);
    return changes;
  }
}

/** Nodes that report to one store, which may lose its data, or declare one of them dead. */
class Scene {
  readonly nodes = Array.from({ length: NODES }, (_, id) => new Node(id));
  /** The changes that were announced to watchers. */
  readonly news: Change[] = [];
  readonly #acts = new Set<Change>();
  /**
   * Users whom one node reported aloud after another had reported them silently without knowing of their announced leave. The store
   * takes their join for announced, and no node finds out.
   */
  readonly unsure = new Set<string>();
  store = new Store(0);

  constructor() {
    for (const { name } of this.nodes) this.store.held.set(name, new Map());
  }

  take([kind, index, userId, connections]: Step): void {
    const node = this.nodes[index]!;
    const { store } = this;
    switch (kind) {
      case 'set':
        node.has.set(userId, connections);
        return node.held.set(TOPIC, { userId, connections });
      case 'remove':
        node.has.delete(userId);
        return node.held.remove(TOPIC, userId);
      case 'say':
        return this.say(node, true);
      case 'sayUnanswered':
        return this.say(node, false);
      case 'settle':
        // A node knows that the others have reported theirs once it has been there for long enough.
        if (this.isIn(node)) node.held.settle();
        return;
      case 'bury':
        return this.bury(node);
      case 'lose':
        // A second loss before all is restored also forgets the leaves announced in between: no node can know of them.
        if (this.nodes.some(({ epoch, held }) => epoch !== store.epoch || !held.isRestored)) return;
        this.store = new Store(store.epoch + 1);
        return;
      case 'calm':
        for (const each of this.nodes) if (this.isIn(each)) this.attach(each);
        if (!this.nodes.every((each) => this.isIn(each) && each.held.unsaidCount === 0)) return;
        store.gone.clear();
        for (const each of this.nodes) {
          each.formers = [];
          each.held.assured();
        }
    }
  }

  /** Lets every node report all its entries, and settle. */
  end(): void {
    const all = () => {
      for (const node of this.nodes) {
        do this.say(node, true);
        while (node.held.unsaidCount > 0);
      }
    };
    all();
    // By now every node has been told who was declared dead.
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
    const sums: Record<string, number> = {};
    for (const users of this.store.held.values()) {
      for (const [userId, connections] of users) sums[userId] = (sums[userId] ?? 0) + connections;
    }
    return sums;
  }

  private isIn({ name, epoch }: Node): boolean {
    return epoch === this.store.epoch && this.store.held.has(name);
  }

  /** Another node notices that the lease of this one has expired. */
  private bury(node: Node): void {
    const { store } = this;
    const witness = this.nodes.find((each) => each !== node && this.isIn(each));
    if (!this.isIn(node) || witness === undefined) return;
    witness.seenDead.add(node.name);
    this.act(store.replies.get(node.name) ?? []);
    this.act(this.announce(store.drop(node.name)));
  }

  private say(node: Node, isAnswered: boolean): void {
    this.attach(node);
    const { store } = this;
    const lot = node.held.take(2);
    // The store knows a call that it has had, and does nothing twice.
    const changes = store.replies.get(node.name) ?? lot.flatMap((update) => this.put(node, update));
    store.replies.delete(node.name);
    if (!isAnswered && lot.length > 0) return void store.replies.set(node.name, changes);
    node.held.heard();
    for (const [kind, userId] of changes) {
      if (kind === 'gone') node.held.departed(TOPIC, userId);
      if (kind === 'joined') node.held.announced(TOPIC, userId);
    }
    this.act(changes);
  }

  private put({ name }: Node, update: PresenceUpdate): readonly Change[] {
    const changes = this.announce(this.store.put(name, update));
    const { userId, member, manner } = update;
    const isTaken = member && manner !== 'silently' && this.store.isElsewhere(name, userId);
    if (isTaken && newestOf(userId, this.news) === 'left') this.unsure.add(userId);
    return changes;
  }

  /** Begins again if the lease was lost, as every node does before it reports. */
  private attach(node: Node): void {
    const { store } = this;
    const wasBuried = () => node.formers.some((name) => store.buried.has(name));
    if (!this.isIn(node)) {
      const isLost = node.epoch !== store.epoch;
      if (!isLost || store.buried.has(node.name)) node.held.forgotten();
      else {
        node.held.lost();
        node.formers.push(node.name);
      }
      if (isLost) for (const name of node.seenDead) store.buried.add(name);
      node.incarnation += 1;
      node.epoch = store.epoch;
      store.held.set(node.name, new Map());
    }
    if (!wasBuried()) return;
    node.formers = [];
    node.held.buried();
  }

  /** The changes that a node has acted on, in the order of their announcements. */
  get acts(): Change[] {
    return this.news.filter((change) => this.#acts.has(change));
  }

  private act(changes: readonly Change[]): void {
    for (const change of changes) if (change[0] !== 'gone') this.#acts.add(change);
  }

  private announce(changes: readonly Change[]): readonly Change[] {
    const told = changes.filter(([kind]) => kind !== 'gone');
    this.news.push(...told);
    for (const [, userId] of told) this.unsure.delete(userId);
    return changes;
  }
}

function newestOf(user: string, changes: readonly Change[]): string | undefined {
  return changes.findLast(([, userId]) => userId === user)?.[0];
}

describe('The reports of all nodes about their users', () => {
  it('end in the users who are there, with a join or leave told last, whatever was lost, unanswered or declared dead on the way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const scene = new Scene();
        for (const each of steps) scene.take(each);
        scene.end();
        expect(scene.present).toEqual(scene.expected);
        for (const user of USERS) {
          const [told, acted] = [newestOf(user, scene.news), newestOf(user, scene.acts)];
          if (scene.unsure.has(user)) continue;
          if (user in scene.present) expect([told, acted]).toContain('joined');
          else expect([told, acted]).not.toContain('joined');
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('cause joins and leaves in turn, while nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const scene = new Scene();
        for (const each of steps) if (each[0] !== 'lose') scene.take(each);
        scene.end();
        for (const user of USERS) {
          for (const changes of [scene.news, scene.acts]) {
            const kinds = changes.filter(([, userId]) => userId === user).map(([kind]) => kind);
            expect(kinds).toEqual(kinds.map((_, i) => ['joined', 'left'][i % 2]));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
