import { DroppingTopic } from './dropping-topic.js';
import { LatestTopic, URGENT } from './latest-topic.js';
import type { PacedNode, PaceEntry } from './paced-node.js';

/** A topic that deals with slow readers in a way of its own. */
export type PacedTopic = LatestTopic | DroppingTopic;

/** The share of the send budget of the node that may be kept for readers that are behind, and the share that stays when it is exceeded. */
const KEPT_SHARE = 0.5;
const RELIEF = 0.9;

/** The topics of this node whose gateways declare how messages are delivered to slow readers; only those with readers. */
export class TopicPaces {
  readonly #topics = new Map<string, PacedTopic>();
  #keptBytes = 0;
  #isRelieving = false;
  /** True while topics are relieved at once. */
  #isUrgent = false;

  constructor(private readonly node: PacedNode) {}

  /** True when there are none, as often. */
  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  of(name: string): PacedTopic | undefined {
    return this.#topics.get(name);
  }

  /** Adds a reader. @param recovers true: one that exists gets from the history what it has missed */
  enter(
    name: string,
    connectionId: string,
    { slow, maxRateHz, askedHz, maxBytes }: PaceEntry,
    recovers?: boolean,
  ): void {
    let paced = this.#topics.get(name);
    if (paced === undefined) {
      paced =
        slow === 'drop'
          ? new DroppingTopic(name, this.node)
          : new LatestTopic(name, this.node, maxRateHz, maxBytes, this.#keeps);
      this.#topics.set(name, paced);
    }
    if (paced instanceof LatestTopic) paced.enter(connectionId, askedHz, recovers);
    else paced.enter(connectionId);
  }

  /** Removes a reader; what waits for it is forgotten. */
  left(name: string, connectionId: string): void {
    const paced = this.#topics.get(name);
    paced?.leave(connectionId);
    if (paced?.isEmpty) this.#topics.delete(name);
  }

  /** Sends a reader of topics what waits for it, unless it cannot take it. */
  settle(names: Iterable<string>, connectionId: string): void {
    if (this.isEmpty) return;
    for (const name of names) {
      const paced = this.#topics.get(name);
      if (paced instanceof LatestTopic) paced.settle(connectionId);
    }
  }

  /** Writes to a reader of a topic what waits for it, because what it is sent next is newer. */
  flush(name: string, connectionId: string): void {
    const paced = this.#topics.get(name);
    if (paced instanceof LatestTopic) paced.flush(connectionId);
  }

  /** Counts what is kept. Above the bound the topics that keep most close the connections that are furthest behind. */
  readonly #keeps = (more: number): void => {
    this.#keptBytes += more;
    const maxBytes = this.node.meter.sendQueue.maxBytes * KEPT_SHARE;
    if (this.#keptBytes <= maxBytes || this.#isUrgent) return;
    const isUrgent = this.#keptBytes > maxBytes * URGENT;
    if (this.#isRelieving && !isUrgent) return;
    const byBytes = [...this.#topics.values()].filter((paced) => paced instanceof LatestTopic);
    byBytes.sort((a, b) => a.bytes - b.bytes);
    if (isUrgent) {
      this.#isUrgent = true;
      void this.#relieve(byBytes, maxBytes, isUrgent);
      this.#isUrgent = false;
      return;
    }
    this.#isRelieving = true;
    const done = this.#relieve(byBytes, maxBytes, isUrgent);
    if (done) void done.then(() => (this.#isRelieving = false));
    else this.#isRelieving = false;
  };

  /** Relieves one topic after the other, from the last one on, until no more than the bound is kept. */
  #relieve(topics: LatestTopic[], maxBytes: number, isUrgent: boolean): Promise<void> | undefined {
    for (let paced = topics.pop(); paced; paced = topics.pop()) {
      const excess = this.#keptBytes - maxBytes * RELIEF;
      if (excess <= 0) return undefined;
      const done = paced.relieve(Math.max(0, paced.bytes - excess), isUrgent);
      if (done) return done.then(() => this.#relieve(topics, maxBytes, isUrgent));
    }
    return undefined;
  }
}
