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
import { changesIn, pageIn, topicText, wordsOf, type PresencePage, type TopicChange } from './presence-text.js';
import { command, type RedisNetwork } from '../connection/redis-network.js';
import type { RedisScript } from '../connection/redis-script.js';

/** How long keys live that no node keeps up, in milliseconds: so long a node that starts still ends what dead ones held. */
const KEEP_MS = 3_600_000;

/** How often a node keeps a topic up while its keys live. */
const KEPT_UP = 3;

/** What a call about the lease has found. */
export interface Tended {
  readonly epoch: string;
  /** False when the incarnation has lost its lease. */
  readonly isHolder: boolean;
  /** True when there is more to end of those who have lost theirs. */
  readonly isMore: boolean;
  readonly changes: readonly TopicChange[];
  /** True when the incarnation, or the one before data was lost, was taken for dead. */
  readonly isBuried: boolean;
  /** Incarnations that were taken for dead now. */
  readonly dead: readonly string[];
}

/** What a call about the lease is told. */
export interface Tending {
  /** True when the incarnation is a new one, and has no lease yet. */
  readonly isEntering: boolean;
  /** How much may be ended in one step. */
  readonly limit: number;
  /** The incarnation that this node was before data was lost, while it is not known whether it was taken for dead. */
  readonly former: string | undefined;
  /** Incarnations that this node has seen taken for dead before data was lost. */
  readonly seenDead: readonly string[];
}

/**
 * The calls of one node in one partition. What can change something is numbered: a call that was not answered is made again
 * with the same number, and has its effect once.
 */
export class PresenceCalls {
  readonly #keepMs: number;
  #incarnation = 1;
  #number = 1;
  /** Up to where the topics of this node were kept up. */
  #kept = '0';

  /**
   * @param start how the keys of the partition begin
   * @param leaseMs how long a lease holds
   * @param tendMs how often it is looked after
   */
  constructor(
    private readonly nodeId: string,
    private readonly network: RedisNetwork,
    private readonly partition: number,
    private readonly start: string,
    private readonly leaseMs: number,
    private readonly tendMs: number,
  ) {
    this.#keepMs = Math.max(KEEP_MS, 4 * leaseMs);
  }

  /** The incarnation that this node is. */
  get name(): string {
    return `${this.nodeId}.${this.#incarnation}`;
  }

  /** From now on this node is somebody else. */
  renew(): void {
    this.#incarnation += 1;
    this.#kept = '0';
  }

  /** @returns what has changed, or `undefined` when the incarnation has no lease */
  async say(lot: readonly PresenceUpdate[]): Promise<readonly TopicChange[] | undefined> {
    const now = performance.now();
    const words = lot.flatMap((update) => wordsOf(update, now));
    const reply = await this.#once(sayPresenceScript, words);
    return Array.isArray(reply) ? changesIn(reply) : undefined;
  }

  async tend({ isEntering, limit, former = '', seenDead }: Tending): Promise<Tended> {
    const share = Math.min(1, (KEPT_UP * this.tendMs) / this.#keepMs);
    const reply = (await this.#once(tendPresenceScript, [
      `${this.leaseMs}`,
      randomUUID(),
      isEntering ? '1' : '0',
      `${limit}`,
      this.#kept,
      `${share}`,
      former,
      ...seenDead,
    ])) as unknown[];
    const [epoch, isHolder, isMore, changes, isBuried, dead, kept] = reply;
    this.#kept = String(kept);
    return {
      epoch: String(epoch),
      isHolder: isHolder === '1',
      isMore: isMore === '1',
      changes: changesIn(changes),
      isBuried: isBuried === '1',
      dead: Array.isArray(dead) ? dead.map(String) : [],
    };
  }

  /** The answer to the last call has arrived, and was acted on. If this is lost, the next call says so. */
  acknowledge(): void {
    command(this.network.serverOf(this.partition), ['DEL', `${this.start}:told:${this.name}`]).catch(ignore);
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

  /** @returns whether the user is in the topic, with the changes; nothing when presence is not kept at the moment */
  async update(topic: string, userId: string, info: string): Promise<[boolean, TopicChange[]] | undefined> {
    const reply = await this.#call(updatePresenceScript, this.name, [topicText(topic), JSON.stringify(userId), info]);
    return Array.isArray(reply) ? [reply[0] === '1', changesIn(reply[1])] : undefined;
  }

  /**
   * @param cursor where to go on, first `0`
   * @param count about how many
   */
  async page(topic: string, cursor: string, count: number): Promise<PresencePage> {
    const keys = [`${this.start}:presence`, this.#present(topic)];
    return pageIn(await pagePresenceScript.run(this.network.serverOf(this.partition), keys, [cursor, `${count}`]));
  }

  async positions(topics: readonly string[]): Promise<PresencePosition[]> {
    const keys = [`${this.start}:presence`, ...topics.map((topic) => this.#present(topic))];
    const reply = await presencePositionsScript.run(this.network.serverOf(this.partition), keys, []);
    const [epoch, ...sequences] = reply as unknown[];
    return sequences.map((sequence) => ({ epoch: String(epoch), sequence: Number(sequence) }));
  }

  #present(topic: string): string {
    return `${this.start}:present:${topicText(topic)}`;
  }

  async #once(script: RedisScript, args: readonly string[]): Promise<unknown> {
    const reply = await this.#call(script, this.name, [`${this.#number}`, ...args]);
    this.#number += 1;
    return reply;
  }

  #call(
    script: RedisScript,
    incarnation: string,
    args: readonly string[],
    keepMs: number = this.#keepMs,
  ): Promise<unknown> {
    const server = this.network.serverOf(this.partition);
    const publish = server?.isSharded ? 'SPUBLISH' : 'PUBLISH';
    return script.run(server, [`${this.start}:presence`], [this.start, publish, incarnation, `${keepMs}`, ...args]);
  }
}

function ignore(): void {}
