import { randomUUID } from 'node:crypto';
import type { PresenceUpdate } from '../../../core/presence/presence-outbox.js';
import type { Presence } from '../../../core/presence/presence.js';
import {
  expirePresenceScript,
  leavePresenceScript,
  readPresenceScript,
  sayPresenceScript,
  tendPresenceScript,
} from './presence-scripts.js';
import { changesOf, departuresIn, presenceIn, topicText, wordsOf, type TopicChange } from './presence-text.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisScript } from '../connection/redis-script.js';

/** What a call about the lease has found. */
export interface Tended {
  readonly epoch: string;
  /** False when the incarnation has lost its lease. */
  readonly isHolder: boolean;
  /** True when there is more to end of those who have lost theirs. */
  readonly isMore: boolean;
  readonly changes: readonly TopicChange[];
}

/**
 * The calls of one node in one partition. What can change something is numbered: a call that was not answered is made again
 * with the same number, and has its effect once.
 */
export class PresenceCalls {
  #incarnation = 1;
  #number = 1;

  /**
   * @param start how the keys of the partition begin
   * @param leaseMs how long a lease holds
   */
  constructor(
    private readonly nodeId: string,
    private readonly network: RedisNetwork,
    private readonly partition: number,
    private readonly start: string,
    private readonly leaseMs: number,
  ) {}

  /** From now on this node is somebody else. */
  renew(): void {
    this.#incarnation += 1;
  }

  /** @returns what has changed, or `undefined` when the incarnation has no lease */
  async say(lot: readonly PresenceUpdate[]): Promise<readonly TopicChange[] | undefined> {
    const reply = await this.#once(sayPresenceScript, lot.flatMap(wordsOf));
    return Array.isArray(reply) ? changesOf(lot, reply) : undefined;
  }

  /**
   * @param isEntering true when the incarnation is a new one, and has no lease yet
   * @param limit how much may be ended in one step
   */
  async tend(isEntering: boolean, limit: number): Promise<Tended> {
    const args = [`${this.leaseMs}`, randomUUID(), isEntering ? '1' : '0', `${limit}`];
    const [epoch, isHolder, isMore, left] = (await this.#once(tendPresenceScript, args)) as unknown[];
    return { epoch: String(epoch), isHolder: isHolder === '1', isMore: isMore === '1', changes: departuresIn(left) };
  }

  async leave(graceMs: number): Promise<void> {
    const orphans = await this.#call(leavePresenceScript, this.#name, [`${graceMs}`]);
    for (const name of Array.isArray(orphans) ? orphans : []) {
      let cursor = '0';
      do {
        const args = [cursor, `${graceMs + this.leaseMs}`];
        cursor = String(await this.#call(expirePresenceScript, String(name), args));
      } while (cursor !== '0');
    }
  }

  async read(topic: string, limit: number): Promise<Presence> {
    const key = `${this.start}:present:${topicText(topic)}`;
    return presenceIn(topic, await readPresenceScript.run(this.network.serverOf(this.partition), [key], [`${limit}`]));
  }

  get #name(): string {
    return `${this.nodeId}.${this.#incarnation}`;
  }

  async #once(script: RedisScript, args: readonly string[]): Promise<unknown> {
    // An answer is of no use any more when the lease has run out.
    const reply = await this.#call(script, this.#name, [`${this.#number}`, `${this.leaseMs}`, ...args]);
    this.#number += 1;
    return reply;
  }

  #call(script: RedisScript, incarnation: string, args: readonly string[]): Promise<unknown> {
    const server = this.network.serverOf(this.partition);
    const publish = server?.isSharded ? 'SPUBLISH' : 'PUBLISH';
    return script.run(server, [`${this.start}:presence`], [this.start, publish, incarnation, ...args]);
  }
}
