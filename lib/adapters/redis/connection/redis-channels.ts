import { hashSlot } from './hash-slot.js';

/** The number of channels that nodes are subscribed to in turn, one after each loss of their subscriptions. */
export const RESTORED_CHANNELS = 8;

/** A channel for publications, and the partition that it belongs to. */
export interface RedisChannel {
  readonly name: string;
  readonly partition: number;
}

/**
 * Names all channels and keys. On a single server a subject's channel is `<prefix>@<database>:<subject>`; in a Redis Cluster it is
 * `<prefix>@<database>{<partition>}:<subject>`, with subjects spread over a fixed number of partitions: the hash tag in the
 * braces determines the server of the channel, and user-supplied text never does.
 *
 * No prefix contains `@`, so the names of different prefixes and databases always differ. The names of channels need the
 * database because a message reaches the subscribers of all databases of a server.
 */
export class RedisChannels {
  readonly #root: string;

  /** @param partitions 0 on a single server */
  constructor(
    prefix: string,
    database: number,
    private readonly partitions: number,
  ) {
    this.#root = `${prefix}@${database}`;
  }

  /** All partitions. */
  all(): readonly number[] {
    return Array.from({ length: Math.max(1, this.partitions) }, (_, partition) => partition);
  }

  of(subject: string): RedisChannel {
    const partition = this.partitions === 0 ? 0 : hash(subject) % this.partitions;
    return { name: `${this.#start(partition)}:${escape(subject)}`, partition };
  }

  /** The channel on which all nodes announce themselves. */
  get everybody(): RedisChannel {
    return this.of('bus');
  }

  /** The channel for answers to a node. */
  answersTo(nodeId: string): RedisChannel {
    return this.of(`bus:${nodeId}`);
  }

  /** The channel for probes of a node to itself over a partition. */
  probe(nodeId: string, partition: number): RedisChannel {
    return { name: `${this.#start(partition)}:probe:${nodeId}`, partition };
  }

  /**
   * The channel of the nodes whose subscriptions to a partition were restored, after they had been lost.
   * @param restores how often they were, of a small number of channels in turn
   */
  restored(restores: number, partition: number): string {
    return `${this.#start(partition)}:restored:${restores % RESTORED_CHANNELS}`;
  }

  /**
   * The keys of a topic's history: its position, its publications, and the term of the server.
   * @param channel the channel of the topic, whose slot the keys share
   */
  historyOf(
    topic: string,
    { partition }: RedisChannel,
  ): readonly [position: string, publications: string, term: string] {
    const start = this.#start(partition);
    // The name may contain a user id.
    const name = escape(topic);
    return [`${start}:stream:${name}`, `${start}:history:${name}`, this.termOf(partition)];
  }

  /** The key of the term of the server, of all histories of a partition. */
  termOf(partition: number): string {
    return `${this.#start(partition)}:term`;
  }

  /** The key that remembers an idempotency key. Only topics of the application have idempotency keys, and contain no space. */
  onceOf(topic: string, idempotencyKey: string, { partition }: RedisChannel): string {
    return `${this.#start(partition)}:once:${topic} ${escape(idempotencyKey)}`;
  }

  /** The key of the orders that are stored for nodes that are cut off. */
  ordersOf(partition: number): string {
    return `${this.#start(partition)}:orders`;
  }

  /** The partition that a channel belongs to. */
  partitionOf(name: string): number {
    return this.partitions === 0 ? 0 : Number(/\{(\d+)\}/.exec(name)?.[1] ?? 0);
  }

  /** A pattern for all channels of one kind of subject, in any partition. Prefix and database are its only variable parts. */
  pattern(kind: 'user' | 'topic'): string {
    return `${this.#root}${this.partitions === 0 ? '' : '{*}'}:${kind}:*`;
  }

  /** The keys of the directory of nodes, in one slot. */
  get leases(): readonly [expiries: string, leases: string] {
    return [`${this.#root}:{nodes}:expiries`, `${this.#root}:{nodes}:leases`];
  }

  /** The start of all keys and channels of a partition; the scripts of presence name theirs by it. */
  presence(partition: number): string {
    return this.#start(partition);
  }

  /** The key of what presence keeps about a partition. */
  presenceOf(partition: number): string {
    return `${this.#start(partition)}:presence`;
  }

  /** The key of the members of a topic, in the partition of its channel. */
  membersOf(topic: string, partition: number): string {
    return `${this.#start(partition)}:present:${topicText(topic)}`;
  }

  /** The key of the last reply to an incarnation of a node. */
  lastReplyTo(incarnation: string, partition: number): string {
    return `${this.#start(partition)}:told:${incarnation}`;
  }

  /** The slot of the Redis Cluster that a partition's channels are in. */
  slotOf(partition: number): number {
    return hashSlot(this.#start(partition));
  }

  #start(partition: number): string {
    return this.partitions === 0 ? this.#root : `${this.#root}{${partition}}`;
  }
}

/** Encodes a topic for the keys of presence: JSON without the quotes, which leaves every topic of an application unchanged. */
export function topicText(topic: string): string {
  return JSON.stringify(topic).slice(1, -1);
}

/**
 * Escapes lone surrogates, and U+FFFD itself. UTF-8, which Redis receives, cannot encode a lone surrogate: it would arrive
 * as U+FFFD, and two subjects would share a channel. With the escapes, different subjects always have different channels.
 */
function escape(subject: string): string {
  return subject.replace(/[\p{Surrogate}\ufffd]/gu, (char) => `\ufffd${char.charCodeAt(0).toString(16)}`);
}

/** FNV-1a over UTF-16 code units, the same on every node. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
