import type { PresenceChange } from '../core/presence/presence.js';
import { readStreamRun, streamInfo, type StreamRun } from '../core/history/stream-run.js';
import { streamTopic } from '../core/topic/reserved-topic.js';
import { RepeatedFailures } from '../errors/repeated-failures.js';
import type { PresenceStore } from '../ports/presence-store.js';

/** Most released runs whose leave is remembered as expected. */
const MAX_RELEASED = 1_000;

/** Called for changes that the presence store has this node act on. */
export interface RegistrationEvents {
  /** This node was taken for dead: another one ends the stream. */
  lost(topic: string, id: string): void;
  /** The node that ran it is gone: this node has to end it. */
  orphaned(run: StreamRun): void;
}

/**
 * Registers the streams that run with all nodes, as presence does with users: each is a
 * member of a reserved topic of its own. The first node
 * that reports an id runs it. The registrations of a crashed node end with its lease, and one of the other nodes is told.
 */
export class StreamRegistrations {
  readonly #failures = new RepeatedFailures('RealtimeStreams', 'A stream could not be registered');
  /** The ids that this node claims, by whether it was the first. */
  readonly #claims = new Map<string, boolean>();
  readonly #released = new Set<string>();

  constructor(
    private readonly store: PresenceStore,
    private readonly events: RegistrationEvents,
  ) {}

  /**
   * Reads whether an id is registered.
   * @returns nothing if it is not; without a `run` if it is about to begin
   * @throws RealtimeError `UNAVAILABLE`
   */
  async find(topic: string, id: string): Promise<{ readonly run: StreamRun | undefined } | undefined> {
    const { users } = await this.store.read(streamTopic(topic, id), 1);
    const [found] = users;
    return found && { run: readStreamRun(topic, id, found.info) };
  }

  /**
   * Claims an id for this node.
   * @param run the run, if it exists already; without one, nothing is to be done when this node crashes
   * @returns true if no other node has it
   * @throws RealtimeError `UNAVAILABLE`; it is not claimed then
   */
  async claim(topic: string, id: string, run?: StreamRun): Promise<boolean> {
    const key = keyOf(topic, id);
    this.#claims.set(key, false);
    try {
      await this.#set(topic, id, run);
      // A report that failed is not known here, but a read waits for it.
      if (!this.#claims.get(key)) await this.store.read(streamTopic(topic, id), 0);
      if (this.#claims.get(key)) return true;
    } catch (error) {
      this.#remove(topic, id);
      throw error;
    } finally {
      this.#claims.delete(key);
    }
    this.#remove(topic, id);
    return false;
  }

  /**
   * Adds to a claimed id what another node needs to end it.
   * @throws RealtimeError `UNAVAILABLE` if it is not known whether the others know it; release it then
   */
  async confirm(run: StreamRun): Promise<void> {
    await this.#set(run.topic, run.id, run);
    // A report that failed is not known here, but a read waits for it.
    await this.store.read(streamTopic(run.topic, run.id), 0);
  }

  /** Ends the registration of a run that has ended, or did not begin. */
  release({ topic, id, nonce }: StreamRun): void {
    this.#released.add(nonce);
    for (const oldest of this.#released) {
      if (this.#released.size <= MAX_RELEASED) break;
      this.#released.delete(oldest);
    }
    this.#remove(topic, id);
  }

  /** Takes a change that this node has to act on. */
  changed(topic: string, { kind, userId: id, info }: PresenceChange): void {
    const key = keyOf(topic, id);
    if (kind === 'joined') {
      if (this.#claims.has(key)) this.#claims.set(key, true);
      else this.events.lost(topic, id);
    } else if (kind === 'left') {
      const run = readStreamRun(topic, id, info);
      if (run && !this.#released.delete(run.nonce)) this.events.orphaned(run);
    }
  }

  async #set(topic: string, id: string, run: StreamRun | undefined): Promise<void> {
    await this.store.set(streamTopic(topic, id), { userId: id, connections: 1, ...(run && { info: streamInfo(run) }) });
  }

  #remove(topic: string, id: string): void {
    const removed = this.store.remove(streamTopic(topic, id), id);
    removed?.catch((error: unknown) => this.#failures.say(error));
  }
}

/** A topic cannot contain a line break. */
export function keyOf(topic: string, id: string): string {
  return `${topic}\n${id}`;
}
