import { unavailable, TICK_MS } from '../connection/redis-connection.js';
import type { RedisChannel, RedisChannels } from '../connection/redis-channels.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** A channel that is wanted, or was until a moment ago. */
interface Subscription {
  readonly channel: RedisChannel;
  /** False while it only lingers. */
  isJoined: boolean;
  /** True once the server has said that it is subscribed. */
  isActive: boolean;
  /** When it was last joined, in milliseconds of this process. */
  joinedAt: number;
  /** When it was left, in ticks. */
  leftAt: number;
  waiting: PromiseWithResolvers | undefined;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Most channels of one command: what a server has to do in one go stays short. */
const BATCH = 512;

/**
 * The channels that this node listens to. Those of one turn are subscribed in batches; those that are left stay for a
 * moment, so that coming and going costs nothing; after a connection was lost all of them are subscribed anew.
 */
export class RedisSubscriptions {
  readonly #subscriptions = new Map<string, Subscription>();
  #wanted: Subscription[] = [];
  #left: Subscription[] = [];
  #isScheduled = false;
  #ticks = 0;
  /** When it was last known which servers there are, in ticks. */
  #knownAt = 0;

  /** @param hear takes what arrives; a channel that is no longer joined may still be heard for a while */
  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly settings: { readonly lingerMs: number; readonly commandTimeoutMs: number },
    private readonly hear: (text: string, partition: number, isJoined: boolean) => void,
  ) {}

  isJoined(name: string): boolean {
    return this.#subscriptions.get(name)?.isJoined ?? false;
  }

  /** Since when it is joined, in milliseconds of this process; `undefined` when it is not. */
  joinedAt(name: string): number | undefined {
    const subscription = this.#subscriptions.get(name);
    return subscription?.isJoined ? subscription.joinedAt : undefined;
  }

  /** True when it is joined, and what is published there arrives here. */
  isActive(name: string): boolean {
    const subscription = this.#subscriptions.get(name);
    return subscription !== undefined && subscription.isJoined && subscription.isActive;
  }

  /** @returns a promise that settles once it is active, or nothing when it already is */
  join(channel: RedisChannel): Promise<void> | undefined {
    let subscription = this.#subscriptions.get(channel.name);
    if (subscription === undefined) {
      subscription = { channel, isJoined: false, isActive: false, joinedAt: 0, leftAt: 0, waiting: undefined };
      this.#subscriptions.set(channel.name, subscription);
    }
    if (!subscription.isJoined) {
      subscription.isJoined = true;
      subscription.joinedAt = performance.now();
    }
    const server = this.network.serverOf(channel.partition);
    if (subscription.isActive && server?.isAttached) return undefined;
    if (subscription.waiting) return subscription.waiting.promise;
    if (server ? server.isOverdue : this.#isOverdue) return Promise.reject(unavailable());
    subscription.waiting = withResolvers();
    if (!subscription.isActive) this.#want(subscription);
    return subscription.waiting.promise;
  }

  leave(name: string): void {
    const subscription = this.#subscriptions.get(name);
    if (!subscription?.isJoined) return;
    subscription.isJoined = false;
    subscription.leftAt = this.#ticks;
    this.#left.push(subscription);
  }

  /** Subscribes a server's new connection to all that is wanted of it. */
  async restore(server: RedisServer): Promise<void> {
    const wanted: Subscription[] = [];
    for (const subscription of this.#of(server)) {
      subscription.isActive = false;
      if (subscription.isJoined) wanted.push(subscription);
      else this.#subscriptions.delete(subscription.channel.name);
    }
    await Promise.all(inBatches(wanted).map((batch) => this.#subscribe(server, batch)));
  }

  /** A server was reached, or lost. */
  changed(server: RedisServer): void {
    for (const subscription of this.#of(server)) {
      if (server.isDeaf) subscription.isActive = false;
      else if (!subscription.isActive && subscription.isJoined) this.#want(subscription);
      else if (server.isAttached) settle(subscription);
    }
  }

  tick(): void {
    this.#ticks += 1;
    if (this.network.all().length > 0) this.#knownAt = this.#ticks;
    else if (this.#isOverdue) this.#reject(this.#subscriptions.values());
    const lingerTicks = this.settings.lingerMs / TICK_MS;
    let due = 0;
    while (due < this.#left.length && this.#ticks - this.#left[due]!.leftAt >= lingerTicks) due += 1;
    if (due > 0) this.#unsubscribe(this.#left.splice(0, due));
  }

  /** Forgets everything. */
  close(): void {
    for (const { waiting } of this.#subscriptions.values()) waiting?.reject(unavailable());
    this.#subscriptions.clear();
    this.#wanted = [];
    this.#left = [];
  }

  /** A server has been away for too long: nobody waits for it any more. */
  giveUp(server: RedisServer): void {
    this.#reject(this.#of(server));
  }

  #reject(subscriptions: Iterable<Subscription>): void {
    for (const subscription of subscriptions) {
      subscription.waiting?.reject(unavailable());
      subscription.waiting = undefined;
    }
  }

  /** True when it has not been known for long which servers there are. */
  get #isOverdue(): boolean {
    return (this.#ticks - this.#knownAt) * TICK_MS >= this.settings.commandTimeoutMs;
  }

  *#of({ partitions }: RedisServer): Iterable<Subscription> {
    for (const subscription of this.#subscriptions.values()) {
      if (partitions.has(subscription.channel.partition)) yield subscription;
    }
  }

  #want(subscription: Subscription): void {
    this.#wanted.push(subscription);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const wanted = this.#wanted;
    this.#wanted = [];
    for (const batch of inBatches(wanted)) {
      const server = this.network.serverOf(batch[0]!.channel.partition);
      // What is wanted of a server that is away is subscribed when it is back.
      if (!server?.subscriber.isUp) continue;
      this.#subscribe(server, batch).catch((error: unknown) => {
        // A lost connection is made again, and restores what waits for it.
        if (!server.subscriber.isUp) return;
        for (const subscription of batch) {
          subscription.waiting?.reject(error);
          subscription.waiting = undefined;
        }
      });
    }
  };

  async #subscribe(server: RedisServer, batch: readonly Subscription[]): Promise<void> {
    const names = batch.map(({ channel }) => channel.name);
    await server.subscriber.run((client) =>
      server.isSharded ? client.sSubscribe(names, this.#listener) : client.subscribe(names, this.#listener),
    );
    for (const subscription of batch) {
      subscription.isActive = true;
      if (server.isAttached) settle(subscription);
    }
  }

  #unsubscribe(left: readonly Subscription[]): void {
    const gone = left.filter((subscription) => {
      const { channel, isJoined } = subscription;
      if (isJoined || this.#subscriptions.get(channel.name) !== subscription) return false;
      // Left a second time meanwhile: its turn comes later.
      if ((this.#ticks - subscription.leftAt) * TICK_MS < this.settings.lingerMs) return false;
      if (this.network.serverOf(channel.partition)?.subscriber.isUp) return this.#subscriptions.delete(channel.name);
      // The next connection forgets it; unless that is just being subscribed to it, and then it is to be left there.
      subscription.leftAt = this.#ticks;
      this.#left.push(subscription);
      return false;
    });
    for (const batch of inBatches(gone)) {
      const server = this.network.serverOf(batch[0]!.channel.partition)!;
      const names = batch.map(({ channel }) => channel.name);
      server.subscriber
        .run((client) =>
          server.isSharded ? client.sUnsubscribe(names, this.#listener) : client.unsubscribe(names, this.#listener),
        )
        .catch(() => undefined);
    }
  }

  /** One function for all channels: the client tells listeners apart by identity. */
  readonly #listener = (text: string, name: string): void => {
    const subscription = this.#subscriptions.get(name);
    const partition = subscription?.channel.partition ?? this.channels.partitionOf(name);
    this.hear(text, partition, subscription?.isJoined ?? false);
  };
}

function settle(subscription: Subscription): void {
  subscription.waiting?.resolve();
  subscription.waiting = undefined;
}

/** Channels of one partition each, as a Redis Cluster wants it. */
function inBatches(subscriptions: readonly Subscription[]): Subscription[][] {
  const open = new Map<number, Subscription[]>();
  const batches: Subscription[][] = [];
  for (const subscription of subscriptions) {
    const { partition } = subscription.channel;
    let batch = open.get(partition);
    if (batch === undefined || batch.length === BATCH) {
      open.set(partition, (batch = []));
      batches.push(batch);
    }
    batch.push(subscription);
  }
  return batches;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}
