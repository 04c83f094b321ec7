import type { RedisChannels } from '../connection/redis-channels.js';
import { TICK_MS } from '../connection/redis-connection.js';
import type { MissedOrders } from './missed-orders.js';
import type { RedisTransport } from '../connection/redis-transport.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** Why a connection is given up whose subscriptions Redis has forgotten, or never had. */
export const UNKNOWN_TO_REDIS = 'Redis does not know of our subscriptions';

const NOT_BACK = 'a message to ourselves did not come back';

/** A probe after which this node begins to hear a server. */
interface Fence {
  readonly server: RedisServer;
  readonly sequence: number;
  /** When it was sent, in ticks. */
  readonly since: number;
  /** When it was sent, in milliseconds of this process. */
  readonly sentAt: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends a message to ourselves over each server from time to time. A connection that is open and silent may be one that
 * nothing comes over any more: then it is made anew.
 */
export class Probes {
  #ticks = 0;
  /** The partitions over which a probe is under way, and when it was sent, in milliseconds of this process. */
  readonly #underWay = new Map<number, number>();
  /** By the partition that they went over. */
  readonly #fences = new Map<number, Fence>();
  #total = 0;

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly orders: MissedOrders,
    private readonly settings: { readonly probeIntervalMs: number; readonly commandTimeoutMs: number },
  ) {}

  tick(): void {
    this.#total += 1;
    for (const { since, reject } of this.#fences.values()) {
      if ((this.#total - since) * TICK_MS >= this.settings.commandTimeoutMs) reject(new Error(NOT_BACK));
    }
    if (++this.#ticks * TICK_MS < this.settings.probeIntervalMs) return;
    this.#ticks = 0;
    for (const server of this.network.all()) {
      const [partition] = server.partitions;
      if (partition === undefined || !server.isAttached) continue;
      if (this.#underWay.delete(partition)) server.subscriber.restart(NOT_BACK);
      else this.#send(server, partition);
    }
  }

  /** A probe has come back. */
  heard(partition: number, sequence: number): void {
    const sentAt = this.#underWay.get(partition);
    this.#underWay.delete(partition);
    const server = this.network.serverOf(partition);
    if (sentAt !== undefined && server) this.orders.heard(server, sentAt);
    const fence = this.#fences.get(partition);
    if (fence?.sequence !== sequence) return;
    this.#fences.delete(partition);
    this.orders.heard(fence.server, fence.sentAt);
    // At once: what comes behind it may be in the same piece.
    fence.server.probeReturned();
    fence.resolve();
  }

  /**
   * Marks where this node begins to hear what a server publishes; see {@link RedisServer.isHearing}. Settles when the mark has come back,
   * and so has shown that the new connection works.
   */
  fence(server: RedisServer): Promise<void> {
    const [partition] = server.partitions;
    if (partition === undefined) return Promise.resolve();
    const spoken = this.transport.next();
    return new Promise((resolve, reject) => {
      this.#fences.set(partition, {
        server,
        sequence: spoken.sequence,
        since: this.#total,
        sentAt: performance.now(),
        resolve,
        reject,
      });
      server.probeSent();
      this.transport.send(
        this.channels.probe(spoken.origin, partition),
        this.transport.textOf({ kind: 'probe', ...spoken })!,
        (count) => (count === 0 ? reject(new Error(UNKNOWN_TO_REDIS)) : undefined),
        () => reject(new Error('a message to ourselves could not be sent')),
      );
    });
  }

  /** The connection over which a probe would have come is lost. */
  forget({ partitions }: RedisServer): void {
    for (const partition of partitions) {
      this.#underWay.delete(partition);
      this.#fences.get(partition)?.reject(new Error('the connection was lost'));
      this.#fences.delete(partition);
    }
  }

  #send(server: RedisServer, partition: number): void {
    const spoken = this.transport.next();
    const text = this.transport.textOf({ kind: 'probe', ...spoken });
    if (text === undefined) return;
    this.#underWay.set(partition, performance.now());
    this.transport.send(
      this.channels.probe(spoken.origin, partition),
      text,
      (count) => {
        if (count === 0 && this.#underWay.delete(partition)) server.subscriber.restart(UNKNOWN_TO_REDIS);
      },
      () => this.#underWay.delete(partition),
    );
  }
}
