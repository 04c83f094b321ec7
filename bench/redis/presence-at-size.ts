import { setTimeout as delay } from 'node:timers/promises';
import { RedisAssembly } from '../../lib/adapters/redis/redis-assembly.js';
import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import { PresencePictures } from '../../lib/delivery/presence-pictures.js';
import { PresenceWatchers } from '../../lib/delivery/presence-watchers.js';
import { LocalPresence } from '../../lib/delivery/local-presence.js';
import type { LocalDelivery } from '../../lib/delivery/local-delivery.js';
import { MeasuredRedis } from './measured-redis.js';

const NODES = 3;
const WATCHERS = 10;
const TOPIC = 'room:1';
/** How many users come, and then go, while the others are there. */
const CHANGES = 2_000;
/** For how long Redis counts as emptied after the first node has started, in milliseconds, and some more. */
const NEW_EPOCH_MS = 13_000;
/** How many of them at a time: each waits until the change is stored. */
const AT_ONCE = 10;

/** One size of a topic, and what a change and a member of it cost. */
export interface PresenceSize {
  readonly members: number;
  /** CPU of all nodes and of Redis for one join or leave, in microseconds. */
  readonly nodesUs: number;
  readonly redisUs: number;
  /** Memory of one member, in bytes: on the node that has the user, and in Redis. */
  readonly nodeBytes: number;
  readonly redisBytes: number;
  /** Reading all members once: CPU of Redis in milliseconds, and its longest command. */
  readonly readMs: number;
  readonly longestMs: number;
}

interface Node {
  readonly assembly: RedisAssembly;
  readonly presence: LocalPresence;
  readonly pictures: PresencePictures;
}

/** Fills one topic from three nodes of this process, without sockets, and has users come and go while watchers are told. */
export async function presenceAtSize(members: number): Promise<PresenceSize> {
  const redis = await MeasuredRedis.start();
  const nodes: Node[] = [];
  let told = 0;
  try {
    for (let index = 0; index < NODES; index++) nodes.push(await nodeOf(redis, `node-${index}`, () => (told += 1)));
    const user = (n: number) => ({ id: `c-${n}`, userId: `user-${n}` });
    const heap = heapUsed();
    const empty = await redis.memory();
    for (let n = 0; n < members; n++) {
      nodes[n % NODES]!.presence.enter(TOPIC, user(n), { name: 'somebody' });
      if (n % 1_000 === 0) await delay(5);
    }
    const { presence } = nodes[0]!.assembly;
    while ((await presence.read(TOPIC, 1)).userCount < members) await delay(50);
    // Until then the nodes read the topic at intervals, in case that one of them has yet to report.
    await delay(NEW_EPOCH_MS);
    const nodeBytes = (heapUsed() - heap) / members;
    const redisBytes = ((await redis.memory()) - empty) / members;
    const cpu = process.cpuUsage();
    const { cpuUs } = await redis.costOf(async () => {
      for (const isLeaving of [false, true]) {
        for (let n = 0; n < CHANGES; n += AT_ONCE) {
          const some = Array.from({ length: AT_ONCE }, (_, i) => user(members + n + i));
          for (const [i, one] of some.entries()) {
            const at = nodes[i % NODES]!.presence;
            if (isLeaving) at.leave(TOPIC, one);
            else at.enter(TOPIC, one, { name: 'somebody' });
          }
          // A read waits until all that its node has reported is stored.
          await Promise.all(nodes.map(({ assembly }) => assembly.presence.read(TOPIC, 0)));
        }
      }
    });
    const { user: usr, system } = process.cpuUsage(cpu);
    const read = await redis.costOf(() => Promise.resolve(presence.read(TOPIC, Infinity)));
    const changes = 2 * CHANGES;
    if (told < changes) throw new Error(`Only ${told} of ${changes} changes were told`);
    return {
      members,
      nodesUs: (usr + system) / changes,
      redisUs: cpuUs / changes,
      nodeBytes,
      redisBytes,
      readMs: read.cpuUs / 1_000,
      longestMs: read.longestMs,
    };
  } finally {
    for (const { assembly, presence, pictures } of nodes) {
      pictures.stop();
      await presence.close();
      assembly.bus.close();
    }
    await redis.end();
  }
}

/** A node whose watchers are told of changes; nothing is written to sockets. */
async function nodeOf(redis: MeasuredRedis, id: string, tell: () => unknown): Promise<Node> {
  const assembly = await RedisAssembly.create({ url: redis.url }, new RandomIdGenerator());
  const watchers = new PresenceWatchers();
  const delivery = { tellPresence: tell, resetPresence: () => undefined } as unknown as LocalDelivery;
  const pictures = new PresencePictures(watchers, delivery, assembly.presence, 0);
  pictures.start();
  await assembly.bus.open({
    id,
    receive: ({ content }) => {
      if (content.kind === 'joined' || content.kind === 'left') watchers.hear(TOPIC, content).forEach(tell);
      return 0;
    },
    respond: () => [],
  });
  await assembly.bus.join(`topic:${TOPIC}`);
  const presence = new LocalPresence(assembly.presence, 0);
  presence.release();
  await presence.open(id);
  for (let n = 0; n < WATCHERS; n++) watchers.watch(TOPIC, `watcher-${n}`);
  return { assembly, presence, pictures };
}

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
