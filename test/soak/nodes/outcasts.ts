import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import type { Order, Stay } from '../checker/record.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

const PATIENCE_MS = 2_000;

/** How long before its order a user connects, in milliseconds: a node that is cut off lets nobody in, so it has to come before that. */
const BEFORE_MS = [3_000, 20_000] as const;

/** How long after its order a user is watched, in milliseconds: longer than a node is away, and is attached again. */
const WATCHED_MS = 20_000;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Users with a connection to each node whom somebody disconnects once, on whichever node, and who do not come back: no later
 * order ends a connection that has outlived the first.
 */
export class Outcasts {
  readonly orders: Order[] = [];
  readonly stays: Writable<Stay>[] = [];
  readonly #over = new AbortController();
  readonly #acting: Promise<void>;

  constructor(
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    private readonly log: RunLog,
  ) {
    // Each of them waits for it.
    setMaxListeners(0, this.#over.signal);
    this.#acting = this.#act();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#acting;
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #act(): Promise<void> {
    const lives = new Set<Promise<void>>();
    for (let n = 0; !this.#isOver; n++) {
      const life = this.#live(`outcast-${n}`).finally(() => lives.delete(life));
      lives.add(life);
      await this.#pause(400 + this.random.below(600));
    }
    await Promise.all(lives);
  }

  async #live(userId: string): Promise<void> {
    const ends = this.nodes.all.map(({ port, pid }) => this.#visit(userId, port, pid));
    const [least, most] = BEFORE_MS;
    await this.#pause(least + this.random.below(most - least));
    if (!this.#isOver) await this.#order(userId);
    await this.#pause(WATCHED_MS);
    for (const end of ends) (await end)();
  }

  async #order(userId: string): Promise<void> {
    const begun = this.log.now();
    const node = this.random.pick(this.nodes.all);
    const report = await node.ask('disconnect', userId).catch(() => undefined);
    this.orders.push({ userId, begun, ended: this.log.now(), complete: report?.complete === true });
  }

  /** @returns what leaves */
  async #visit(userId: string, port: number, node: number): Promise<() => void> {
    const line = await Line.open(port, userId, PATIENCE_MS);
    if (!line) return () => undefined;
    const stay: Writable<Stay> = { userId, node, opened: Infinity };
    void line.welcomed.then((id) => {
      if (id === undefined) return undefined;
      stay.opened = this.log.now();
      this.stays.push(stay);
      return undefined;
    });
    void line.closed.then(() => (stay.closed ??= this.log.now()));
    return () => {
      if (line.isOpen) stay.left = this.log.now();
      line.close();
    };
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}
