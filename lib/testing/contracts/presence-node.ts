import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { topic as topicAddress } from '../../core/routing/address.js';
import type { PresenceNews } from '../../core/presence/presence-position.js';
import type { Presence, PresenceChange, PresenceMember } from '../../core/presence/presence.js';
import type { MessageBus } from '../../ports/message-bus.js';
import type { PresenceStore } from '../../ports/presence-store.js';
import { BusNode, subject } from './bus-node.js';

/**
 * A store under test, and its bus. Neither is open.
 * @publicApi
 */
export interface PresenceSetup {
  readonly bus: MessageBus;
  readonly store: PresenceStore;
  /** Ends the node as a crash would, without a word to other nodes. Required for stores that connect nodes. */
  readonly crash?: () => void | Promise<void>;
}

/** Deadlines for effects that are immediate, and for those that follow a crash. */
const DEADLINES_MS = { atOnce: 2_000, afterCrash: 20_000 };

/** Prefix of the users whose join marks the end of earlier changes. */
const FENCE = 'fence-';

/** A node with one store and one bus. */
export class PresenceNode {
  /** The calls of `changed` on this node, in order. */
  readonly told: (readonly [topic: string, change: PresenceChange])[] = [];
  readonly #id = randomUUID();
  #isClosed = false;
  #isCrashed = false;

  private constructor(
    readonly store: PresenceStore,
    readonly bus: BusNode,
    private readonly end: PresenceSetup['crash'],
  ) {}

  /** Opens a bus and its store, passes them to `use` and closes them. */
  static async run(
    create: () => PresenceSetup | Promise<PresenceSetup>,
    use: (node: PresenceNode) => Promise<void>,
  ): Promise<void> {
    const { bus, store, crash } = await create();
    await BusNode.run(
      () => bus,
      async (busNode) => {
        const node = new PresenceNode(store, busNode, crash);
        await store.open({ id: node.#id, changed: (topic, change) => void node.told.push([topic, change]) });
        try {
          await use(node);
        } finally {
          await node.close();
        }
      },
    );
  }

  set(topic: string, userId: string, connections = 1, info?: unknown, ageMs?: number): void | Promise<void> {
    return this.store.set(topic, { userId, connections, ...(info !== undefined && { info }) }, ageMs);
  }

  async join(topic: string): Promise<void> {
    await this.bus.bus.join(subject(topicAddress(topic)));
  }

  /** Reads presence, with the members sorted by id. */
  async read(topic: string, limit = 10_000): Promise<Presence> {
    const { at: _place, ...presence } = await this.store.read(topic, limit);
    return { ...presence, users: presence.users.toSorted(byUserId) };
  }

  /** Returns the changes of a joined topic that arrived over the bus before a change that is made now. */
  async heard(topic: string): Promise<PresenceChange[]> {
    const fence = `${FENCE}${randomUUID()}`;
    await this.set(topic, fence);
    await this.bus.inbox.contain(({ content }) => content.kind === 'joined' && content.userId === fence);
    await this.store.remove(topic, fence);
    return this.arrived(topic);
  }

  /** Returns the changes of a topic that have arrived over the bus so far. */
  arrived(topic: string): PresenceChange[] {
    return this.newsOf(topic)
      .filter(({ userId }) => !userId.startsWith(FENCE))
      .map(({ at: _place, ...change }) => change);
  }

  /** The same, with their places and with the ends of tests. */
  newsOf(topic: string): PresenceNews[] {
    return this.bus.inbox.envelopes.flatMap(({ to, content }) =>
      (content.kind === 'joined' || content.kind === 'left' || content.kind === 'updated') &&
      to.some((address) => address.kind === 'topic' && address.id === topic)
        ? [content]
        : [],
    );
  }

  /** Returns the calls of `changed` on this node for a topic. */
  toldOf(topic: string): PresenceChange[] {
    return this.told.flatMap(([of, change]) => (of === topic && !change.userId.startsWith(FENCE) ? [change] : []));
  }

  /** Ends the node as a crash would. */
  async crash(): Promise<void> {
    assert.ok(this.end, 'a store that connects nodes comes with a way to crash a node');
    this.#isCrashed = true;
    await this.end();
  }

  async close(graceMs = 0): Promise<void> {
    if (this.#isClosed || this.#isCrashed) return;
    this.#isClosed = true;
    await this.store.close(graceMs);
  }
}

/** Resolves when the test passes. Rejects after the deadline. */
export async function eventually(
  test: () => boolean | Promise<boolean>,
  expected: string,
  patience: keyof typeof DEADLINES_MS,
): Promise<void> {
  let isOver = false;
  const deadline = setTimeout(() => (isOver = true), DEADLINES_MS[patience]);
  try {
    while (!(await test())) {
      if (isOver) assert.fail(`${expected} within ${DEADLINES_MS[patience]} ms`);
      await new Promise(setImmediate);
    }
  } finally {
    clearTimeout(deadline);
  }
}

/** Returns a topic that is unique to the test. */
export function uniqueRoom(): string {
  return `contract:${randomUUID()}`;
}

function byUserId(a: PresenceMember, b: PresenceMember): number {
  return a.userId < b.userId ? -1 : 1;
}
