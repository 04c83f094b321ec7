import { randomUUID } from 'node:crypto';
import type { PresencePosition } from '../../../core/presence/presence-position.js';
import type { PresenceUpdate } from '../../../core/presence/presence-outbox.js';
import { pagePresenceScript, presencePositionsScript } from './presence-read-scripts.js';
import {
  expirePresenceScript,
  leavePresenceScript,
  sayPresenceScript,
  tendPresenceScript,
  updatePresenceScript,
} from './presence-scripts.js';
import {
  changesIn,
  goneIn,
  incarnationsIn,
  pageIn,
  wordsOf,
  type PresencePage,
  type TopicChange,
} from './presence-text.js';
import { topicText, type RedisChannels } from '../connection/redis-channels.js';
import { command, type RedisNetwork } from '../connection/redis-network.js';
import type { RedisScript } from '../connection/redis-script.js';

/** The TTL of keys that no node refreshes, in milliseconds: within it, a node that starts can still end the entries of dead nodes. */
const KEEP_MS = 3_600_000;

/** The number of times that a node refreshes a topic within the TTL of its keys. */
const KEPT_UP = 3;

/** The result of a lease call. */
export interface Tended {
  readonly epoch: string;
  /** False when the incarnation has lost its lease. */
  readonly isHolder: boolean;
  /** True if more entries of incarnations with an expired lease are left to end. */
  readonly isMore: boolean;
  readonly changes: readonly TopicChange[];
  /** True if the incarnation was declared dead before a loss of data, as the node remembers that saw it. */
  readonly isBuried: boolean;
  /** True if one of the incarnations of {@link Tending.formers} was. */
  readonly wasBuried: boolean;
  /** Incarnations that this call declared dead, or a node that has ended since without reading its reply. */
  readonly dead: readonly string[];
  /** Incarnations whose last entries were ended, likewise. */
  readonly ended: readonly string[];
  /** The time of the call, by the clock of Redis in milliseconds. */
  readonly at: number;
}

/** The result of a report. */
export interface Said {
  readonly changes: readonly TopicChange[];
  /** The users who have gone whose report was ignored: their leave was announced before. */
  readonly gone: readonly (readonly [topic: string, userId: string])[];
  /** The time of the call, by the clock of Redis in milliseconds. */
  readonly at: number;
}

/** A leave that a node has acted on, and its time, by the clock of Redis in milliseconds. */
export type Leave = readonly [topic: string, userId: string, at: number];

/** The arguments of a lease call. */
export interface Tending {
  /** True if the incarnation is new and has no lease yet. */
  readonly isEntering: boolean;
  /** Most entries that may be ended in one step. */
  readonly limit: number;
  /** The incarnations of this node before losses of data, as long as it is unknown whether one was declared dead. */
  readonly formers: readonly string[];
  /** True if this node has reported all of its earlier users again after a loss of data. */
  readonly isRestored: boolean;
  /** Incarnations that this node saw declared dead before a loss of data; `true` if all of their entries were ended. */
  readonly seenDead: ReadonlyMap<string, boolean>;
  /** The leaves that this node acted on before a loss of data. */
  readonly leaves: readonly Leave[];
}

/**
 * The calls of one node in one partition. Calls that can change data are numbered, and so idempotent: a call without a reply
 * is repeated with the same number, and takes effect once.
 */
export class PresenceCalls {
  readonly #keepMs: number;
  #incarnation = 1;
  #number = 1;
  /** The time at which the newest call that refreshed the lease was sent, by `performance.now()`. */
  #refreshedAt = -Infinity;
  /** The cursor of the refresh over this node's topics. */
  #kept = '0';

  /**
   * @param leaseMs the TTL of a lease, in milliseconds
   * @param tendMs the interval of lease refreshes, in milliseconds
   */
  constructor(
    private readonly nodeId: string,
    private readonly network: RedisNetwork,
    private readonly partition: number,
    private readonly channels: RedisChannels,
    private readonly leaseMs: number,
    private readonly tendMs: number,
  ) {
    this.#keepMs = Math.max(KEEP_MS, 4 * leaseMs);
  }

  /** The current incarnation of this node. */
  get name(): string {
    return `${this.nodeId}.${this.#incarnation}`;
  }

  /** Begins a new incarnation of this node. */
  renew(): void {
    this.#incarnation += 1;
    this.#kept = '0';
  }

  /**
   * @param knownAt the time at which this node had its lease and all of its users were stored, before it lost the data
   * @returns `undefined` if the incarnation has no lease
   */
  async say(lot: readonly PresenceUpdate[], knownAt: number): Promise<Said | undefined> {
    const now = performance.now();
    const words = lot.flatMap((update) => wordsOf(update, now));
    const reply = await this.#once(sayPresenceScript, false, [`${knownAt}`, ...words]);
    if (!Array.isArray(reply)) return undefined;
    const [at, changes] = reply as unknown[];
    return { changes: changesIn(changes), gone: goneIn(changes), at: Number(at) };
  }

  async tend({ isEntering, limit, formers, isRestored, seenDead, leaves }: Tending): Promise<Tended> {
    const share = Math.min(1, (KEPT_UP * this.tendMs) / this.#keepMs);
    const reply = (await this.#once(tendPresenceScript, true, [
      randomUUID(),
      isEntering ? '1' : '0',
      `${limit}`,
      this.#kept,
      `${share}`,
      formers.join('\n'),
      isRestored ? '1' : '0',
      `${2 * seenDead.size}`,
      ...[...seenDead].flatMap(([name, isEnded]) => [name, isEnded ? '1' : '0']),
      ...leaves.flatMap(([topic, userId, at]) => [topicText(topic), JSON.stringify(userId), `${at}`]),
    ])) as unknown[];
    const [epoch, isHolder, isMore, changes, isBuried, kept, at, wasBuried] = reply;
    this.#kept = String(kept);
    return {
      epoch: String(epoch),
      isHolder: isHolder === '1',
      isMore: isMore === '1',
      changes: changesIn(changes),
      isBuried: isBuried === '1',
      wasBuried: wasBuried === '1',
      dead: incarnationsIn(changes, 'dead'),
      ended: incarnationsIn(changes, 'ended'),
      at: Number(at),
    };
  }

  /** Acknowledges that the reply to the last call has arrived and was acted on. If this is lost, the next call implies it. */
  acknowledge(): void {
    command(this.network.serverOf(this.partition), ['DEL', this.channels.lastReplyTo(this.name, this.partition)]).catch(
      ignore,
    );
  }

  async leave(graceMs: number): Promise<void> {
    const orphans = await this.#call(leavePresenceScript, this.name, [`${graceMs}`]);
    for (const name of Array.isArray(orphans) ? orphans : []) {
      let cursor = '0';
      do {
        cursor = String(await this.#call(expirePresenceScript, String(name), [cursor], graceMs + this.leaseMs));
      } while (cursor !== '0');
    }
  }

  /** @returns whether the user is in the topic, with the changes; nothing if presence is not available at the moment */
  async update(topic: string, userId: string, info: string): Promise<[boolean, TopicChange[]] | undefined> {
    const reply = await this.#call(updatePresenceScript, this.name, [topicText(topic), JSON.stringify(userId), info]);
    return Array.isArray(reply) ? [reply[0] === '1', changesIn(reply[1])] : undefined;
  }

  /**
   * @param cursor the cursor of the page, first `0`
   * @param count the approximate page size
   */
  async page(topic: string, cursor: string, count: number): Promise<PresencePage> {
    const keys = [this.channels.presenceOf(this.partition), this.channels.membersOf(topic, this.partition)];
    return pageIn(await this.#read(pagePresenceScript, keys, [cursor, `${count}`]));
  }

  async positions(topics: readonly string[]): Promise<PresencePosition[]> {
    const keys = [
      this.channels.presenceOf(this.partition),
      ...topics.map((topic) => this.channels.membersOf(topic, this.partition)),
    ];
    const reply = await this.#read(presencePositionsScript, keys, []);
    const [epoch, ...sequences] = reply as unknown[];
    return sequences.map((sequence) => ({ epoch: String(epoch), sequence: Number(sequence) }));
  }

  /**
   * A reply that is read after the lease may have expired counts for nothing: another node may have acted on it. The call is
   * repeated, and refreshes the lease. It gets the same reply, unless the incarnation was declared dead meanwhile.
   */
  async #once(script: RedisScript, isRefresh: boolean, args: readonly string[]): Promise<unknown> {
    for (let refreshes = isRefresh; ; refreshes = true) {
      const sentAt = performance.now();
      const leaseMs = refreshes ? this.leaseMs : 0;
      const reply = await this.#call(script, this.name, [`${this.#number}`, `${leaseMs}`, ...args]);
      if (refreshes) this.#refreshedAt = sentAt;
      if (performance.now() - this.#refreshedAt >= this.leaseMs) continue;
      this.#number += 1;
      return reply;
    }
  }

  #call(
    script: RedisScript,
    incarnation: string,
    args: readonly string[],
    keepMs: number = this.#keepMs,
  ): Promise<unknown> {
    const start = this.channels.presence(this.partition);
    return this.network.run(script, {
      partition: this.partition,
      keys: [this.channels.presenceOf(this.partition)],
      argsFor: ({ isSharded }) => [start, isSharded ? 'SPUBLISH' : 'PUBLISH', incarnation, `${keepMs}`, ...args],
      isWhole: true,
    });
  }

  #read(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.network.run(script, { partition: this.partition, keys, argsFor: () => args });
  }
}

function ignore(): void {}
