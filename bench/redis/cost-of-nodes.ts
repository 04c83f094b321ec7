import { setTimeout as delay } from 'node:timers/promises';
import { RedisAssembly } from '../../lib/adapters/redis/redis-assembly.js';
import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import { topic } from '../../lib/core/routing/address.js';
import { MeasuredRedis } from './measured-redis.js';

const IDLE_MS = 15_000;
const MESSAGES = 300;
const CHANNELS = 100_000;
const ALONE = 2_000;
const LINGERING_MS = 5_000;
const EVERYWHERE = 'news:1';

/** What nodes without clients cost, and a message to a topic that all of them have. */
export interface NodesCost {
  readonly nodes: number;
  /** CPU of Redis, and of each node, in milliseconds of each second without any message. */
  readonly idleRedis: number;
  readonly idleNode: number;
  /** CPU of Redis for one message that all nodes receive, in microseconds: without a report, and with one. */
  readonly unreportedUs: number;
  readonly reportedUs: number;
}

/** Starts so many nodes in this process, without clients. */
export async function costOfNodes(count: number): Promise<NodesCost> {
  const redis = await MeasuredRedis.start();
  const nodes: RedisAssembly[] = [];
  try {
    for (let index = 0; index < count; index++) nodes.push(await nodeOf(redis, `node-${index}`));
    for (const { bus } of nodes) await bus.join(`topic:${EVERYWHERE}`);
    await delay(2_000);
    const cpu = process.cpuUsage();
    const idle = await redis.costOf(() => delay(IDLE_MS));
    const { user, system } = process.cpuUsage(cpu);
    const sending = async (report: boolean) => {
      const { cpuUs } = await redis.costOf(async () => {
        for (let n = 0; n < MESSAGES; n++) await send(nodes[0]!, report);
        await delay(200);
      });
      return cpuUs / MESSAGES;
    };
    return {
      nodes: count,
      idleRedis: idle.cpuUs / IDLE_MS,
      idleNode: (user + system) / IDLE_MS / count,
      unreportedUs: await sending(false),
      reportedUs: await sending(true),
    };
  } finally {
    for (const each of nodes) await each.presence.close(0);
    for (const { bus } of nodes) bus.close();
    await redis.end();
  }
}

/** What a channel costs that a node is subscribed to: each user and each topic on a node is one. */
export interface ChannelCost {
  /** Memory, in bytes. */
  readonly nodeBytes: number;
  readonly redisBytes: number;
  /** CPU of Redis for subscribing to it, in microseconds: when a thousand are subscribed to at once, and one alone. */
  readonly joinUs: number;
  readonly aloneUs: number;
  /** CPU of Redis for ending the subscription, in microseconds. */
  readonly leaveUs: number;
}

/** Subscribes a node to 100,000 channels, and ends these subscriptions. */
export async function costOfChannels(): Promise<ChannelCost> {
  const redis = await MeasuredRedis.start();
  const node = await nodeOf(redis, 'node');
  const subject = (n: number) => `user:user-${n}`;
  const thousandAtOnce = async (act: (n: number) => unknown) => {
    for (let n = 0; n < CHANNELS; n += 1_000) await Promise.all(Array.from({ length: 1_000 }, (_, i) => act(n + i)));
  };
  try {
    const [heap, before] = [heapUsed(), await redis.memory()];
    const joined = await redis.costOf(() => thousandAtOnce((n) => node.bus.join(subject(n))));
    const bytes = { nodeBytes: heapUsed() - heap, redisBytes: (await redis.memory()) - before };
    const alone = await redis.costOf(async () => {
      for (let n = 0; n < ALONE; n++) await node.bus.join(subject(CHANNELS + n));
    });
    const left = await redis.costOf(async () => {
      await thousandAtOnce((n) => node.bus.leave(subject(n)));
      // A channel that was left lingers, and then ends with others.
      await delay(LINGERING_MS);
    });
    return {
      nodeBytes: bytes.nodeBytes / CHANNELS,
      redisBytes: bytes.redisBytes / CHANNELS,
      joinUs: joined.cpuUs / CHANNELS,
      aloneUs: alone.cpuUs / ALONE,
      leaveUs: left.cpuUs / CHANNELS,
    };
  } finally {
    node.bus.close();
    await redis.end();
  }
}

async function nodeOf(redis: MeasuredRedis, id: string): Promise<RedisAssembly> {
  const node = await RedisAssembly.create({ url: redis.url }, new RandomIdGenerator());
  await node.bus.open({ id, receive: () => 1, respond: () => [] });
  const counts = () => ({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  await node.directory.open({ id, startedAt: new Date(), counts });
  await node.presence.open({ id, changed: () => undefined });
  return node;
}

function send({ bus }: RedisAssembly, report: boolean) {
  const text = '{"type":"news","payload":{"text":"something has happened"},"timestamp":"2026-01-01T00:00:00.000Z"}';
  return bus.publish(
    `topic:${EVERYWHERE}`,
    { to: [topic(EVERYWHERE)], except: [], content: { kind: 'message', text } },
    {
      report,
    },
  );
}

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
