import { TurnBudget } from '../core/base/turn-budget.js';
import { NodePresence, type NodePresenceChange } from '../core/presence/node-presence.js';
import { topicOfStream } from '../core/topic/reserved-topic.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import type { PresenceNode, PresenceStore } from '../ports/presence-store.js';
import { RepeatedFailures } from '../errors/repeated-failures.js';

/** The resolution of a grace period: a tenth of it, but at most one second. */
const TICKS_PER_GRACE = 10;
const MAX_TICK_MS = 1_000;

type Who = Pick<RealtimeConnection, 'id' | 'userId'>;

/**
 * Reports this node's members of each topic to the presence store, and passes on the changes that this node has to act on. A
 * user stays for a grace period after a connection dropped, so a tunnel or a page reload does not count as a leave.
 */
export class LocalPresence {
  readonly #failures = new RepeatedFailures(LocalPresence.name, 'A presence change could not be stored');
  readonly #presence: NodePresence;
  readonly #tickMs: number;
  readonly #budget = new TurnBudget(() => performance.now());
  #timer: NodeJS.Timeout | undefined;
  /** The changes of users whose grace period has ended. */
  #ended: Iterator<NodePresenceChange> | undefined;
  #isTelling = false;
  #changed: PresenceNode['changed'] = () => {};
  #streamChanged: PresenceNode['changed'] = () => {};
  /** Changes that arrived before the application was ready to act on them. */
  #early: Parameters<PresenceNode['changed']>[] | undefined = [];

  /** @param graceMs the minimum time that a user stays after a connection dropped, in milliseconds */
  constructor(
    private readonly store: PresenceStore,
    private readonly graceMs: number,
  ) {
    this.#tickMs = Math.ceil(Math.min(MAX_TICK_MS, graceMs / TICKS_PER_GRACE));
    this.#presence = new NodePresence(graceMs === 0 ? 0 : Math.ceil(graceMs / this.#tickMs));
  }

  /** @param changed receives the changes that this node has to act on: each change goes to one of all nodes */
  onChange(changed: PresenceNode['changed']): void {
    this.#changed = changed;
  }

  /** @param changed receives the changes of published streams, at once, with the topic in which they run */
  onStreamChange(changed: PresenceNode['changed']): void {
    this.#streamChanged = changed;
  }

  /** @param nodeId names this node */
  async open(nodeId: string): Promise<void> {
    await this.store.open({ id: nodeId, changed: (...change) => this.#act(change) });
    if (this.graceMs === 0) return;
    this.#timer = setInterval(this.#tick, this.#tickMs);
    this.#timer.unref();
  }

  /** Passes on the changes held back during startup, now that the application is ready to act on them. */
  release(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.#changed(...change);
  }

  /** Records that a connection is in a topic. Repeated calls may change the info. */
  enter(topic: string, { id, userId }: Who, info?: unknown): void {
    this.#tell(this.#presence.enter(topic, userId, id, info, performance.now()));
  }

  /** Records that a connection has left a topic, or was removed from it. */
  leave(topic: string, { id, userId }: Who): void {
    this.#tell(this.#presence.leave(topic, userId, id));
  }

  /** Records that a connection dropped, and may come back within the grace period. */
  drop(topic: string, { id, userId }: Who): void {
    this.#tell(this.#presence.drop(topic, userId, id));
  }

  /** Closes without leaves: this node's users get the grace period of a dropped connection to reconnect to another node. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended = undefined;
    await this.store.close(this.graceMs);
  }

  readonly #tick = (): void => {
    this.#ended = this.#presence.tick();
    if (!this.#isTelling) this.#tellEnded();
  };

  /** Of many connections that were lost together, many users leave with one tick: they leave in slices of 8 ms. */
  readonly #tellEnded = (): void => {
    this.#budget.begin();
    this.#isTelling = false;
    for (let next = this.#ended?.next(); next?.done === false; next = this.#ended?.next()) {
      this.#tell(next.value);
      if (!this.#budget.isSpent()) continue;
      this.#isTelling = true;
      setImmediate(this.#tellEnded);
      return;
    }
  };

  #act(change: Parameters<PresenceNode['changed']>): void {
    const streams = topicOfStream(change[0]);
    if (streams !== undefined) this.#streamChanged(streams, change[1]);
    else if (this.#early) this.#early.push(change);
    else this.#changed(...change);
  }

  readonly #tell = (statement: NodePresenceChange | undefined): void => {
    if (statement === undefined) return;
    const { topic } = statement;
    const told =
      statement.kind === 'set'
        ? this.store.set(topic, statement.member, performance.now() - statement.since)
        : this.store.remove(topic, statement.userId);
    told?.catch((error: unknown) => this.#failures.say(error));
  };
}
