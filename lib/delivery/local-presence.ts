import { NodePresence, type NodePresenceChange } from '../core/presence/node-presence.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import type { PresenceNode, PresenceStore } from '../ports/presence-store.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** How finely a grace period is measured: in tenths, but not more often than once a second. */
const TICKS_PER_GRACE = 10;
const MAX_TICK_MS = 1_000;

type Who = Pick<RealtimeConnection, 'id' | 'userId'>;

/**
 * Tells the presence store which users this node has in which topic, and hands on the changes that this node is to act on. A
 * user stays for a grace period after a connection dropped, so that a tunnel or a reloaded page is no leave.
 */
export class LocalPresence {
  readonly #logger = new SafeLogger(LocalPresence.name);
  readonly #attendance: NodePresence;
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;
  #changed: PresenceNode['changed'] = () => {};
  /** What happened before anybody could act on it. */
  #early: Parameters<PresenceNode['changed']>[] | undefined = [];

  /** @param graceMs how long a user stays after a connection dropped, at least, in milliseconds */
  constructor(
    private readonly store: PresenceStore,
    private readonly graceMs: number,
  ) {
    this.#tickMs = Math.ceil(Math.min(MAX_TICK_MS, graceMs / TICKS_PER_GRACE));
    this.#attendance = new NodePresence(graceMs === 0 ? 0 : Math.ceil(graceMs / this.#tickMs));
  }

  /** @param changed told of the changes that this node is to act on: of each, one node in all is told */
  onChange(changed: PresenceNode['changed']): void {
    this.#changed = changed;
  }

  /** @param nodeId names this node */
  async open(nodeId: string): Promise<void> {
    await this.store.open({ id: nodeId, changed: (...change) => this.#act(change) });
    if (this.graceMs === 0) return;
    this.#timer = setInterval(() => this.#attendance.tick().forEach(this.#tell), this.#tickMs);
    this.#timer.unref();
  }

  /** The application is ready to act on changes: it is told of those that this node has found while it started. */
  release(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.#changed(...change);
  }

  /** A connection is in a topic. Repeated calls may give another info. */
  enter(topic: string, { id, userId }: Who, info?: unknown): void {
    this.#tell(this.#attendance.enter(topic, userId, id, info, performance.now()));
  }

  /** A connection has left a topic, or was taken off it. */
  leave(topic: string, { id, userId }: Who): void {
    this.#tell(this.#attendance.leave(topic, userId, id));
  }

  /** A connection is gone, and may come back. */
  drop(topic: string, { id, userId }: Who): void {
    this.#tell(this.#attendance.drop(topic, userId, id));
  }

  /** Users who are here do not leave: they have the grace period of a dropped connection to come back elsewhere. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.store.close(this.graceMs);
  }

  #act(change: Parameters<PresenceNode['changed']>): void {
    if (this.#early) this.#early.push(change);
    else this.#changed(...change);
  }

  readonly #tell = (statement: NodePresenceChange | undefined): void => {
    if (statement === undefined) return;
    const { topic } = statement;
    const told =
      statement.kind === 'set'
        ? this.store.set(topic, statement.member, performance.now() - statement.since)
        : this.store.remove(topic, statement.userId);
    told?.catch((error: unknown) => this.#logger.error('Presence could not be told', (error as Error)?.stack));
  };
}
