import type { RedisChannels } from '../connection/redis-channels.js';
import { TICK_MS } from '../connection/redis-connection.js';
import type { MissedOrders } from './missed-orders.js';
import type { RedisTransport } from '../connection/redis-transport.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** The reason for giving up a connection whose subscriptions Redis has lost, or never had. */
export const UNKNOWN_TO_REDIS = 'Redis does not list the subscriptions of this node';

const NOT_BACK = 'a probe sent by this node did not come back';

/** A probe that marks the point from which this node receives from a server. */
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
 * Sends a probe message from this node to itself over each server, periodically. A connection that is open but silent may
 * be dead: if the probe does not come back, the connection is replaced.
 */
export class Probes {
  #ticks = 0;
  /** The partitions with a probe in flight, and its send time, in milliseconds of this process. */
  readonly #underWay = new Map<number, number>();
  /** Fences by the partition of their probe. */
  readonly #fences = new Map<number, Fence>();
  #total = 0;
  /** Told how long each periodic probe took, in milliseconds. */
  onReturn: ((ms: number) => void) | undefined;

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

  /** Handles a probe that has come back. */
  heard(partition: number, sequence: number): void {
    const sentAt = this.#underWay.get(partition);
    this.#underWay.delete(partition);
    if (sentAt !== undefined) this.onReturn?.(performance.now() - sentAt);
    const server = this.network.serverOf(partition);
    if (sentAt !== undefined && server) this.orders.heard(server, sentAt);
    const fence = this.#fences.get(partition);
    if (fence?.sequence !== sequence) return;
    this.#fences.delete(partition);
    this.orders.heard(fence.server, fence.sentAt);
    // In the same turn: the frames after it may be in the same chunk.
    fence.server.probeReturned();
    fence.resolve();
  }

  /**
   * Marks the point from which this node receives the publications of a server; see {@link RedisServer.isHearing}. Settles
   * when the mark has come back, which shows that the new connection works.
   */
  fence(server: RedisServer): Promise<void> {
    const [partition] = server.partitions;
    if (partition === undefined) return Promise.resolve();
    const spoken = this.transport.next();
    const channel = this.channels.probe(spoken.origin, partition);
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
        channel,
        this.transport.textOf(channel, { kind: 'probe', ...spoken })!,
        (count) => (count === 0 ? reject(new Error(UNKNOWN_TO_REDIS)) : undefined),
        () => reject(new Error('a probe could not be sent')),
      );
    });
  }

  /** Forgets the probes of a lost connection. */
  forget({ partitions }: RedisServer): void {
    for (const partition of partitions) {
      this.#underWay.delete(partition);
      this.#fences.get(partition)?.reject(new Error('the connection was lost'));
      this.#fences.delete(partition);
    }
  }

  #send(server: RedisServer, partition: number): void {
    const spoken = this.transport.next();
    const channel = this.channels.probe(spoken.origin, partition);
    const text = this.transport.textOf(channel, { kind: 'probe', ...spoken });
    if (text === undefined) return;
    this.#underWay.set(partition, performance.now());
    this.transport.send(
      channel,
      text,
      (count) => {
        if (count === 0 && this.#underWay.delete(partition)) server.subscriber.restart(UNKNOWN_TO_REDIS);
      },
      () => this.#underWay.delete(partition),
    );
  }
}
