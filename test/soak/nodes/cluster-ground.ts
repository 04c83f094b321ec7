import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { SlotMove, startRedisCluster } from '../../helpers/redis-cluster.js';
import { RedisServer } from '../../helpers/redis-server.js';
import { Ground, type Faults } from './ground.js';

/** Far longer than a failover takes, in milliseconds. */
const SUCCEEDED_MS = 30_000;

const SHARDS = 3;

/** Replicas follow at once, stay with their master, and take over however long they have been without it. */
const ARGS = [
  ['--repl-diskless-sync-delay', '0'],
  ['--cluster-allow-replica-migration', 'no'],
  ['--cluster-replica-validity-factor', '0'],
].flat();

/** The hash tags of all keys of a server: topics that share a slot share their tag. */
const TAGS = `
local tags, seen = {}, {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local tag = string.match(key, '{(.-)}')
  if tag and not seen[tag] then
    seen[tag] = true
    tags[#tags + 1] = tag
  end
end
table.sort(tags)
return tags`;

/** A Redis Cluster of three masters with a replica each. */
export class ClusterGround extends Ground {
  // A moved slot keeps its data; but where a server cannot prove it in time, presence begins anew.
  override readonly losing = /killed|emptied|takes over|crashes|halts|slot moves/;

  protected readonly own: Faults = {
    'a replica takes over': () => this.#takeOver(0),
    'a replica takes over without the tail': () => this.#takeOver(this.between(200, 1_000)),
    'a master crashes, and its replica takes over': () => this.#crash(),
    'a slot moves to another master': () => this.#move(),
  };

  /** @param servers masters first, then a replica of each, in the same order */
  private constructor(
    servers: readonly RedisServer[],
    private readonly finish: () => Promise<void>,
    random: SeededRandom,
  ) {
    super(servers, random);
  }

  static async start(random: SeededRandom): Promise<ClusterGround> {
    const ends: (() => Promise<unknown>)[] = [];
    const finish = async () => void (await Promise.all(ends.map((end) => end())));
    try {
      const { servers } = await startRedisCluster({ args: ARGS, finished: (end) => ends.push(end) });
      const replicas: RedisServer[] = [];
      for (const master of servers) {
        const replica = await RedisServer.start({
          args: ['--cluster-node-timeout', '2000', ...ARGS],
          isClusterNode: true,
        });
        ends.push(() => replica.end());
        await follow(replica, master);
        replicas.push(replica);
      }
      return new ClusterGround([...servers, ...replicas], finish, random);
    } catch (error) {
      await finish();
      throw error;
    }
  }

  place(index: number) {
    const rootNodes = this.servers.map(({ url }) => ({ url }));
    return { redis: { cluster: { rootNodes } }, ways: this.waysOf(index) };
  }

  masters(): Promise<readonly RedisServer[]> {
    return Promise.all(Array.from({ length: SHARDS }, (_, shard) => this.#masterOf(shard)));
  }

  override async heal(): Promise<boolean> {
    const isLossy = await super.heal();
    await this.masters();
    for (const server of this.servers)
      await until(async () => (await server.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    return isLossy;
  }

  async end(): Promise<void> {
    await this.closeWays();
    await this.finish();
  }

  /** The one of a master and its replica that has the slots, by the newest election. */
  async #masterOf(shard: number): Promise<RedisServer> {
    let master: RedisServer | undefined;
    await until(async () => {
      let newest = -1;
      for (const server of [this.servers[shard]!, this.servers[shard + SHARDS]!]) {
        const nodes = await server.cli('CLUSTER', 'NODES').catch(() => '');
        // id, address, flags, master, ping, pong, epoch of the election, link, slots
        const [, , flags = '', , , , epoch, , ...slots] = /^.*myself.*$/m.exec(nodes)?.[0].split(' ') ?? [];
        if (!flags.includes('master') || slots.length === 0 || Number(epoch) <= newest) continue;
        newest = Number(epoch);
        master = server;
      }
      return master !== undefined;
    });
    return master!;
  }

  async #pick(): Promise<{ readonly shard: number; readonly master: RedisServer; readonly replica: RedisServer }> {
    const shard = this.random.below(SHARDS);
    const master = await this.#masterOf(shard);
    const [first, second] = [this.servers[shard]!, this.servers[shard + SHARDS]!];
    return { shard, master, replica: master === first ? second : first };
  }

  /** @param lagMs how long the replica is without its master before; 0: not at all */
  async #takeOver(lagMs: number): Promise<void> {
    const { shard, replica } = await this.#pick();
    if (lagMs > 0) {
      // The master asks for no password, and refuses one.
      await replica.cli('CONFIG', 'SET', 'masterauth', 'none');
      await replica.cli('CLIENT', 'KILL', 'TYPE', 'MASTER');
      await delay(lagMs);
    }
    await replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await replica.cli('CONFIG', 'SET', 'masterauth', '');
    await until(async () => (await this.#masterOf(shard)) === replica);
  }

  async #crash(): Promise<void> {
    const { shard, master, replica } = await this.#pick();
    await master.kill();
    try {
      await until(async () => (await this.#masterOf(shard)) === replica);
      await delay(this.between(0, 2_000));
    } finally {
      await master.restart();
    }
  }

  /** A slot with keys moves to the next master, and stays open for a while when half of its keys are there. */
  async #move(): Promise<void> {
    const servers = await this.masters();
    const tags = (await Promise.all(servers.map((server) => server.cli('EVAL', TAGS, 0)))).join('\n').split('\n');
    const tag = this.random.pick(tags.filter((each) => each !== ''));
    const openMs = this.between(200, 2_000);
    const slot = Number(await servers[0]!.cli('CLUSTER', 'KEYSLOT', `{${tag}}`));
    const move = await SlotMove.begin({ servers, urls: [] }, slot);
    try {
      await move.keys(Math.ceil((await move.left()) / 2), 200);
      await delay(openMs);
    } finally {
      await move.keys(Infinity, 200);
      await move.end();
    }
  }
}

/** Makes a server the replica of a master, and waits until it has its data. */
async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.cli('CLUSTER', 'MEET', '127.0.0.1', master.port, master.busPort!);
  const id = await master.cli('CLUSTER', 'MYID');
  await until(async () => (await replica.cli('CLUSTER', 'NODES')).includes(id));
  await replica.cli('CLUSTER', 'REPLICATE', id);
  await until(async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'));
  // A replica takes over by itself only when the others know it.
  const replicaId = await replica.cli('CLUSTER', 'MYID');
  await until(async () => (await master.cli('CLUSTER', 'NODES')).includes(replicaId));
}

async function until(is: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + SUCCEEDED_MS; !(await is().catch(() => false)); await delay(50)) {
    if (performance.now() > deadline) throw new Error(`The cluster did not recover within ${SUCCEEDED_MS} ms.`);
  }
}
