import { redirectionIn } from '../connection/redirection.js';
import { unavailable, TICK_MS } from '../connection/redis-connection.js';
import type { RedisChannel, RedisChannels } from '../connection/redis-channels.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** A channel that is joined, or was left a moment ago and lingers. */
interface Subscription {
  readonly channel: RedisChannel;
  /** False while it only lingers. */
  isJoined: boolean;
  /** True once the server has confirmed the subscription. */
  isActive: boolean;
  /** The number of subscribe commands that the server has not answered yet. */
  unanswered: number;
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

/** Most channels of one command: keeps the time that one command occupies the server short. */
const BATCH = 512;

/** The pause before channels are subscribed again whose slot has moved, in milliseconds. */
const MOVED_PAUSE_MS = 50;

/**
 * The channels that this node is subscribed to. The channels of one turn are subscribed in batches. A channel that was left
 * lingers for a moment, so that leaving and joining again costs nothing. After a lost connection all channels are subscribed
 * again.
 */
export class RedisSubscriptions {
  readonly #subscriptions = new Map<string, Subscription>();
  #wanted: Subscription[] = [];
  #left: Subscription[] = [];
  #isScheduled = false;
  #ticks = 0;
  /** The tick in which the servers were last known. */
  #knownAt = 0;
  /** How often the subscriptions to each server were restored. */
  readonly #restores = new WeakMap<RedisServer, number>();

  /** @param hear receives arriving messages; a channel that is no longer joined may still deliver for a while */
  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly settings: { readonly lingerMs: number; readonly commandTimeoutMs: number },
    private readonly hear: (text: string, name: string, partition: number, isJoined: boolean) => void,
  ) {}

  isJoined(name: string): boolean {
    return this.#subscriptions.get(name)?.isJoined ?? false;
  }

  /** The time since which it is joined, in milliseconds of this process; `undefined` if it is not. */
  joinedAt(name: string): number | undefined {
    const subscription = this.#subscriptions.get(name);
    return subscription?.isJoined ? subscription.joinedAt : undefined;
  }

  /** True if it is joined, and messages published there arrive at this node. */
  isActive(name: string): boolean {
    const subscription = this.#subscriptions.get(name);
    return subscription !== undefined && subscription.isJoined && subscription.isActive;
  }

  /** @returns a promise that settles once it is active, or nothing when it already is */
  join(channel: RedisChannel): Promise<void> | undefined {
    let subscription = this.#subscriptions.get(channel.name);
    if (subscription === undefined) {
      subscription = {
        channel,
        isJoined: false,
        isActive: false,
        unanswered: 0,
        joinedAt: 0,
        leftAt: 0,
        waiting: undefined,
      };
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

  /**
   * Subscribes a server's new connection to all of its joined channels.
   * @param isFirst true if no client of this node can have missed anything yet: others are not told of a loss then
   */
  async restore(server: RedisServer, isFirst = false): Promise<void> {
    const wanted: Subscription[] = [];
    for (const subscription of this.#of(server)) {
      subscription.isActive = false;
      if (subscription.isJoined) wanted.push(subscription);
      else this.#forget(subscription);
    }
    const batches = inBatches(wanted);
    const marks = isFirst ? NO_MARKS : this.#marksOf(server, batches);
    await Promise.all(batches.map((batch) => this.#subscribe(server, batch, marks.get(batch))));
  }

  /**
   * Names the channel by which others know that the subscriptions were restored, for the last batch of each partition: whoever sees
   * this node's own channels there sees it, too. Whoever saw it before a message has sent that after the restore.
   */
  #marksOf(server: RedisServer, batches: readonly Subscription[][]): ReadonlyMap<readonly Subscription[], string> {
    const restores = (this.#restores.get(server) ?? 0) + 1;
    this.#restores.set(server, restores);
    const last = new Map(batches.map((batch) => [batch[0]!.channel.partition, batch]));
    return new Map(Array.from(last, ([partition, batch]) => [batch, this.channels.restored(restores, partition)]));
  }

  /** Handles a server that was reached, or lost. */
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

  /** Rejects the joins that wait for a server that has been away for too long. */
  giveUp(server: RedisServer): void {
    this.#reject(this.#of(server));
  }

  /** Forgets a channel that was left. Whoever still waits for its join is told that there will be none. @returns true */
  #forget(subscription: Subscription): boolean {
    this.#reject([subscription]);
    return this.#subscriptions.delete(subscription.channel.name);
  }

  #reject(subscriptions: Iterable<Subscription>): void {
    for (const subscription of subscriptions) {
      subscription.waiting?.reject(unavailable());
      subscription.waiting = undefined;
    }
  }

  /** True if the servers have been unknown for too long. */
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
    // A channel that was left and forgotten meanwhile would stay subscribed for as long as the connection lives.
    const wanted = this.#wanted.filter((each) => this.#subscriptions.get(each.channel.name) === each);
    this.#wanted = [];
    for (const batch of inBatches(wanted)) {
      const server = this.network.serverOf(batch[0]!.channel.partition);
      // Channels of a server that is away are subscribed when it is back.
      if (!server?.subscriber.isUp) continue;
      this.#subscribe(server, batch).catch((error: unknown) => {
        // A lost connection is replaced, and its successor restores the waiting channels.
        if (!server.subscriber.isUp) return;
        const refused = redirectionIn(error) ? this.#follow(batch) : batch;
        for (const subscription of refused) {
          subscription.waiting?.reject(error);
          subscription.waiting = undefined;
        }
      });
    }
  };

  /**
   * Handles channels whose slot the server does not own any more: they are subscribed where the slot is now.
   * @returns those for which that has taken too long
   */
  #follow(batch: readonly Subscription[]): readonly Subscription[] {
    this.network.moved();
    const oldest = performance.now() - this.settings.commandTimeoutMs;
    setTimeout(() => {
      for (const subscription of batch) {
        if (subscription.waiting && subscription.isJoined && !subscription.isActive) this.#want(subscription);
      }
    }, MOVED_PAUSE_MS);
    return batch.filter(({ joinedAt }) => joinedAt < oldest);
  }

  async #subscribe(server: RedisServer, batch: readonly Subscription[], mark?: string): Promise<void> {
    const names = batch.map(({ channel }) => channel.name);
    if (mark !== undefined) names.push(mark);
    for (const subscription of batch) subscription.unanswered += 1;
    try {
      await server.subscriber.run((client) =>
        server.isSharded ? client.sSubscribe(names, this.#listener) : client.subscribe(names, this.#listener),
      );
    } finally {
      for (const subscription of batch) subscription.unanswered -= 1;
    }
    for (const subscription of batch) {
      subscription.isActive = true;
      if (server.isAttached) settle(subscription);
    }
  }

  #unsubscribe(left: readonly Subscription[]): void {
    const gone = left.filter((subscription) => {
      const { channel, isJoined } = subscription;
      if (isJoined || this.#subscriptions.get(channel.name) !== subscription) return false;
      // Joined and left again meanwhile: it lingers anew.
      if ((this.#ticks - subscription.leftAt) * TICK_MS < this.settings.lingerMs) return false;
      // While a subscribe is unanswered, the client would take the channel for subscribed when it is joined again before the
      // answer to the unsubscribe.
      const isSettled = subscription.unanswered === 0 && this.network.serverOf(channel.partition)?.subscriber.isUp;
      if (isSettled) return this.#forget(subscription);
      // The next connection does not subscribe it, unless that is happening right now; then it must be unsubscribed there.
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

  /** One function for all channels: the client distinguishes listeners by identity. */
  readonly #listener = (text: string, name: string): void => {
    const subscription = this.#subscriptions.get(name);
    const partition = subscription?.channel.partition ?? this.channels.partitionOf(name);
    this.hear(text, name, partition, subscription?.isJoined ?? false);
  };
}

const NO_MARKS: ReadonlyMap<readonly Subscription[], string> = new Map();

function settle(subscription: Subscription): void {
  subscription.waiting?.resolve();
  subscription.waiting = undefined;
}

/**
 * Channels of one partition each, as a Redis Cluster wants it. The channels that were joined first come last: they are this node's
 * own, by which others know that it is subscribed to all.
 */
function inBatches(subscriptions: readonly Subscription[]): Subscription[][] {
  const open = new Map<number, Subscription[]>();
  const batches: Subscription[][] = [];
  for (const subscription of subscriptions.toReversed()) {
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
