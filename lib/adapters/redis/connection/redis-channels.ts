import { hashSlot } from './hash-slot.js';

/** Where something is published: a channel, and the partition that it belongs to. */
export interface RedisChannel {
  readonly name: string;
  readonly partition: number;
}

/**
 * Names the channels and keys. On a single server a subject's channel is `<prefix>:<subject>`; in a Redis Cluster it is
 * `<prefix>{<partition>}:<subject>`, with subjects spread over a fixed number of partitions: what stands in the braces
 * decides which server has the channel, and no text of a user ever does.
 */
export class RedisChannels {
  /** @param partitions 0 on a single server */
  constructor(
    private readonly prefix: string,
    private readonly partitions: number,
  ) {}

  /** All partitions there are. */
  all(): readonly number[] {
    return Array.from({ length: Math.max(1, this.partitions) }, (_, partition) => partition);
  }

  of(subject: string): RedisChannel {
    const partition = this.partitions === 0 ? 0 : hash(subject) % this.partitions;
    return { name: `${this.#start(partition)}:${escape(subject)}`, partition };
  }

  /** What all nodes say to each other about themselves. */
  get everybody(): RedisChannel {
    return this.of('bus');
  }

  /** What is answered to a node. */
  answersTo(nodeId: string): RedisChannel {
    return this.of(`bus:${nodeId}`);
  }

  /** What a node says to itself over this partition. */
  probe(nodeId: string, partition: number): RedisChannel {
    return { name: `${this.#start(partition)}:probe:${nodeId}`, partition };
  }

  /**
   * The keys of a topic's history: where it stands, its publications, and the term of the server.
   * @param channel that of the topic, in whose slot they are
   */
  historyOf(
    topic: string,
    { partition }: RedisChannel,
  ): readonly [position: string, publications: string, term: string] {
    const start = this.#start(partition);
    // The id of a user may be in it.
    const name = escape(topic);
    return [`${start}:stream:${name}`, `${start}:history:${name}`, `${start}:term`];
  }

  /** The key that remembers an idempotency key; topics of the application, which alone have them, have no space in them. */
  onceOf(topic: string, idempotencyKey: string, { partition }: RedisChannel): string {
    return `${this.#start(partition)}:once:${topic} ${escape(idempotencyKey)}`;
  }

  /** The key of the orders that are kept for nodes that are cut off. */
  ordersOf(partition: number): string {
    return `${this.#start(partition)}:orders`;
  }

  /** The partition that a channel belongs to. */
  partitionOf(name: string): number {
    return this.partitions === 0 ? 0 : Number(/\{(\d+)\}/.exec(name)?.[1] ?? 0);
  }

  /** A pattern for all channels of one kind of subject, whatever the partition. It holds nothing but the prefix. */
  pattern(kind: 'user' | 'topic'): string {
    return `${this.prefix}${this.partitions === 0 ? '' : '{*}'}:${kind}:*`;
  }

  /** The keys of the directory of nodes, in one slot. */
  get leases(): readonly [expiries: string, leases: string] {
    return [`${this.prefix}:{nodes}:expiries`, `${this.prefix}:{nodes}:leases`];
  }

  /** How all keys of a partition that hold presence begin. */
  presence(partition: number): string {
    return this.#start(partition);
  }

  /** The slot of the Redis Cluster that a partition's channels are in. */
  slotOf(partition: number): number {
    return hashSlot(this.#start(partition));
  }

  #start(partition: number): string {
    return this.partitions === 0 ? this.prefix : `${this.prefix}{${partition}}`;
  }
}

/**
 * Redis gets UTF-8, which has no form for half a surrogate pair: it would arrive as U+FFFD, and two subjects would share a
 * channel. So those are written out, and U+FFFD itself as well, and no two subjects ever look alike.
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
