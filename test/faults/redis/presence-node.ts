import { RedisAssembly } from '../../../lib/adapters/redis/redis-assembly.js';
import type { RedisBackendOptions } from '../../../lib/adapters/redis/connection/redis-options.js';
import { RandomIdGenerator } from '../../../lib/adapters/system/random-id-generator.js';
import type { PresenceNews } from '../../../lib/core/presence/presence-position.js';
import type { Presence } from '../../../lib/core/presence/presence.js';
import type { EnvelopeContent } from '../../../lib/core/routing/envelope.js';

/** A user who comes into a topic, or leaves it. */
export type Move = readonly [topic: string, userId: string];

/** The operations of a test on a node, in this process or in another. */
export interface PresenceControl {
  /** Each move is called at the same time. */
  set(...moves: readonly Move[]): Promise<void>;
  remove(...moves: readonly Move[]): Promise<void>;
  /** `<user id>:<connections>` of each, sorted. */
  read(topic: string): Promise<string[]>;
  /** The changes reported to this node, as `joined <topic> <user id>`. */
  told(): Promise<string[]>;
  /** The frames received over the bus for its joined topics. */
  heard(): Promise<string[]>;
  close(graceMs: number): Promise<void>;
}

/** A node with nothing but the bus and the store. */
export class PresenceNode implements PresenceControl {
  readonly #told: string[] = [];
  readonly #heard: string[] = [];

  private constructor(private readonly adapters: RedisAssembly) {}

  static async start(id: string, options: RedisBackendOptions, topics: readonly string[] = []): Promise<PresenceNode> {
    const adapters = await RedisAssembly.create(options, new RandomIdGenerator());
    const node = new PresenceNode(adapters);
    const { bus, presence } = adapters;
    await bus.open({
      id,
      receive: ({ to: [to], content }) => {
        if (to?.kind !== 'topic' || !isNews(content)) return 0;
        return node.#heard.push(`${content.kind} ${to.id} ${content.userId}`);
      },
      respond: () => [],
    });
    for (const topic of topics) await bus.join(`topic:${topic}`);
    await presence.open({
      id,
      changed: (topic, { kind, userId }) => void node.#told.push(`${kind} ${topic} ${userId}`),
    });
    return node;
  }

  get isAttached(): boolean {
    return this.adapters.bus.isAttached;
  }

  async set(...moves: readonly Move[]): Promise<void> {
    const { presence } = this.adapters;
    await Promise.all(moves.map(([topic, userId]) => presence.set(topic, { userId, connections: 1, info: userId })));
  }

  async remove(...moves: readonly Move[]): Promise<void> {
    await Promise.all(moves.map((move) => this.adapters.presence.remove(...move)));
  }

  read(topic: string): Promise<string[]> {
    return this.adapters.presence.read(topic, 100_000).then(listed);
  }

  told(): Promise<string[]> {
    return Promise.resolve(this.#told);
  }

  heard(): Promise<string[]> {
    return Promise.resolve(this.#heard);
  }

  /** Ends as a process does that is killed. */
  crash(): void {
    this.adapters.bus.close();
  }

  async close(graceMs: number): Promise<void> {
    await this.adapters.presence.close(graceMs);
    this.adapters.bus.close();
  }
}

function isNews(content: EnvelopeContent): content is PresenceNews {
  return content.kind === 'joined' || content.kind === 'left' || content.kind === 'updated';
}

function listed({ users }: Presence): string[] {
  return users.map(({ userId, connections }) => `${userId}:${connections}`).sort();
}
