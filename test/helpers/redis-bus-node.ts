import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { RedisAssembly } from '../../lib/adapters/redis/redis-assembly.js';
import type { RedisHistoryStore } from '../../lib/adapters/redis/history/redis-history-store.js';
import type { RedisMessageBus } from '../../lib/adapters/redis/bus/redis-message-bus.js';
import type { RedisNodeDirectory } from '../../lib/adapters/redis/directory/redis-node-directory.js';
import type { RedisPresenceStore } from '../../lib/adapters/redis/presence/redis-presence-store.js';
import type { RedisBackendOptions } from '../../lib/adapters/redis/connection/redis-options.js';
import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import { all } from '../../lib/core/routing/address.js';
import type { DeliveryReport } from '../../lib/core/routing/delivery-report.js';
import type { Envelope, EnvelopeContent } from '../../lib/core/routing/envelope.js';
import type { NodeQueryResult } from '../../lib/core/bus/node-query.js';
import { trustNewServers } from './old-servers.js';
import { ALL_SUBJECT, nodeSubject } from '../../lib/core/bus/subject.js';

/** A node with nothing but the bus and the directory. */
export class RedisBusNode {
  readonly arrived: Envelope[] = [];
  recipients = 1;
  /** How often the bus has said that something may have been missed. */
  missed = 0;
  results: readonly NodeQueryResult[] = [];
  readonly id = randomUUID();

  private constructor(
    readonly bus: RedisMessageBus,
    readonly directory: RedisNodeDirectory,
    readonly history: RedisHistoryStore,
    /** Not opened. */
    readonly presence: RedisPresenceStore,
  ) {}

  static async start(options: RedisBackendOptions): Promise<RedisBusNode> {
    trustNewServers();
    const { bus, directory, history, presence } = await RedisAssembly.create(options, new RandomIdGenerator());
    const node = new RedisBusNode(bus, directory, history, presence);
    await bus.open({
      id: node.id,
      receive: (envelope) => {
        node.arrived.push(envelope);
        return node.recipients;
      },
      respond: () => node.results as never,
      missed: () => (node.missed += 1),
    });
    onTestFinished(() => node.stop());
    const joined = Promise.all([bus.join(ALL_SUBJECT), bus.join(nodeSubject(node.id))]);
    if (bus.isAttached) await joined;
    else joined.catch(() => undefined);
    await directory.open({
      id: node.id,
      startedAt: new Date(0),
      counts: () => ({ connections: 1, users: 1, topics: 0, subscriptions: 0 }),
    });
    return node;
  }

  publish(subject: string, text = 'hello', report = true): Promise<DeliveryReport> {
    return this.send(subject, { kind: 'message', text: `{"type":"t","payload":"${text}"}` }, report);
  }

  async send(subject: string, content: EnvelopeContent, report = true): Promise<DeliveryReport> {
    return this.bus.publish(subject, { to: [all()], except: [], content }, { report });
  }

  get texts(): string[] {
    return this.arrived.map(({ content }) =>
      content.kind === 'message' ? (JSON.parse(content.text).payload as string) : content.kind,
    );
  }

  async stop(): Promise<void> {
    await this.presence.close(0);
    await this.directory.close();
    this.bus.close();
  }
}
