import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { startSentinelGroup, type SentinelGroup } from '../../helpers/redis-sentinel.js';
import { RedisServer } from '../../helpers/redis-server.js';
import { ClusterGround } from './cluster-ground.js';
import { Ground, type Faults } from './ground.js';

/** What nodes can run on. */
export type Backend = keyof typeof GROUNDS;

/** Far longer than a failover takes, in milliseconds. */
const SUCCEEDED_MS = 30_000;

/** Sentinels notice within it that a master does not answer, in milliseconds: `down-after-milliseconds`, and the interval of their questions. */
const NOTICED_MS = 2_000;

/** Sentinels give a master that reports another role 20 s before they replace it, and try again every 6 s, in milliseconds. */
const HEALED_MS = 60_000;

/** One server. */
class SingleRedis extends Ground {
  protected readonly own: Faults = {};

  static async start(random: SeededRandom): Promise<SingleRedis> {
    return new SingleRedis([await RedisServer.start()], random);
  }

  place(index: number) {
    return { redis: { url: `redis://127.0.0.1:${this.ways(index)[0]!.port}` } };
  }

  async masters(): Promise<readonly RedisServer[]> {
    return this.servers;
  }

  async end(): Promise<void> {
    await this.closeWays();
    await this.servers[0]!.end();
  }
}

/** A master and a replica at an address that follows whoever is master, as that of a managed service does. */
class ReplicaGround extends Ground {
  #master: RedisServer;
  #replica: RedisServer;

  protected readonly own: Faults = {
    'the replica takes over': () => this.#failOver(async () => {}),
    'the replica takes over without the tail': () =>
      this.#failOver(async () => {
        await this.#replica.cli('REPLICAOF', '127.0.0.1', 1);
        await delay(this.between(200, 1_000));
      }),
    'two masters are served for a while': () => this.#split(),
  };

  private constructor(servers: readonly [RedisServer, RedisServer], random: SeededRandom) {
    super(servers, random);
    [this.#master, this.#replica] = servers;
  }

  static async start(random: SeededRandom): Promise<ReplicaGround> {
    const args = ['--repl-diskless-sync-delay', '0'];
    const [master, replica] = [await RedisServer.start({ args }), await RedisServer.start({ args })];
    await replica.cli('REPLICAOF', '127.0.0.1', master.port);
    return new ReplicaGround([master, replica], random);
  }

  place(index: number) {
    return { redis: { url: `redis://127.0.0.1:${this.ways(index)[0]!.port}` } };
  }

  async masters(): Promise<readonly RedisServer[]> {
    return [this.#master];
  }

  override async heal(): Promise<boolean> {
    const isLossy = await super.heal();
    await this.#replica.cli('REPLICAOF', '127.0.0.1', this.#master.port);
    return isLossy;
  }

  async end(): Promise<void> {
    await this.closeWays();
    await Promise.all(this.servers.map((server) => server.end()));
  }

  protected override get targets(): readonly number[] {
    return [this.#master.port];
  }

  async #failOver(before: () => Promise<void>): Promise<void> {
    await before();
    await this.#replica.cli('REPLICAOF', 'NO', 'ONE');
    await this.#swap([0, 1, 2], 0);
  }

  /** One node is led to the new master later than the others. */
  async #split(): Promise<void> {
    await this.#replica.cli('REPLICAOF', 'NO', 'ONE');
    await this.#swap([0, 1], this.between(300, 2_000));
  }

  async #swap(first: readonly number[], laterMs: number): Promise<void> {
    [this.#master, this.#replica] = [this.#replica, this.#master];
    const lead = (index: number) => {
      for (const way of this.ways(index)) {
        way.redirect(this.#master.port);
        way.cut();
      }
    };
    first.forEach(lead);
    await delay(laterMs);
    [0, 1, 2].filter((index) => !first.includes(index)).forEach(lead);
    await this.#replica.cli('REPLICAOF', '127.0.0.1', this.#master.port);
  }
}

/** A master and two replicas that three sentinels watch. */
class SentinelGround extends Ground {
  // A server that cannot save refuses PING, too (`MISCONF`): the sentinels take it for dead.
  override readonly losing = /killed|emptied|takes? over|crashes|halts|slow|cannot save/;

  protected readonly own: Faults = {
    'the master crashes': () => this.#crash(async () => {}),
    'the master crashes, and its replicas lack the tail': () =>
      this.#crash(async (master) => {
        for (const server of this.servers) if (server !== master) await server.cli('REPLICAOF', '127.0.0.1', 1);
        await delay(this.between(200, 600));
      }),
    'an operator has a replica take over': async () => {
      const master = await this.#master();
      await this.group.sentinels[0]!.cli('SENTINEL', 'FAILOVER', this.group.place.name);
      await this.#succeeded(master);
    },
    'a sentinel is killed': async () => {
      const sentinel = this.random.pick(this.group.sentinels);
      await sentinel.kill();
      await delay(this.between(500, 3_000));
      await sentinel.restart();
    },
  };

  private constructor(
    private readonly group: SentinelGroup,
    private readonly finish: () => Promise<void>,
    random: SeededRandom,
  ) {
    super(group.servers, random);
  }

  static async start(random: SeededRandom): Promise<SentinelGround> {
    let finish = async () => {};
    const group = await startSentinelGroup({ finished: (end) => (finish = end) });
    return new SentinelGround(group, () => finish(), random);
  }

  place(index: number) {
    return { redis: { sentinel: this.group.place }, ways: this.waysOf(index) };
  }

  async masters(): Promise<readonly RedisServer[]> {
    return [await this.#master()];
  }

  /** A fault by which a replica may take over is over when it has, or when the sentinels have noticed nothing. */
  override get faults(): Faults {
    const all = Object.entries(super.faults).map(([name, fault]) => [
      name,
      async () => {
        await fault();
        if (!this.losing.test(name)) return;
        await delay(NOTICED_MS);
        await this.#calm(async () => (await this.#agreed()) !== undefined);
      },
    ]);
    return Object.fromEntries(all) as Faults;
  }

  override async heal(): Promise<boolean> {
    const before = await this.group.master().catch(() => undefined);
    const isLossy = await super.heal();
    await this.#calm(() => this.#isFollowed());
    return isLossy || (await this.#master()) !== before;
  }

  async end(): Promise<void> {
    await this.closeWays();
    await this.finish();
  }

  async #crash(before: (master: RedisServer) => Promise<void>): Promise<void> {
    const master = await this.#master();
    await before(master);
    await master.kill();
    try {
      await this.#succeeded(master);
      await delay(this.between(0, 2_000));
    } finally {
      await master.restart();
    }
  }

  /** The one that the sentinels agree on and that says so itself. */
  async #master(): Promise<RedisServer> {
    for (const deadline = performance.now() + SUCCEEDED_MS; ; await delay(100)) {
      const master = await this.group.master().catch(() => undefined);
      const role = await master?.cli('ROLE').catch(() => '');
      if (master && role?.startsWith('master')) return master;
      if (performance.now() > deadline) throw new Error(`The sentinels agree on no master: ${await this.#said()}`);
    }
  }

  async #calm(is: () => Promise<boolean>): Promise<void> {
    for (const deadline = performance.now() + HEALED_MS; !(await is()); await delay(100)) {
      if (performance.now() > deadline)
        throw new Error(`The sentinels did not agree on a master: ${await this.#said()}`);
    }
  }

  /** The master that all sentinels name and find well, and that says so itself: no failover is going on. */
  async #agreed(): Promise<RedisServer | undefined> {
    const { sentinels, place } = this.group;
    const master = await this.group.master().catch(() => undefined);
    if (!master) return undefined;
    const views = await Promise.all(sentinels.map((sentinel) => fieldsOf(sentinel, 'MASTER', place.name)));
    const isNamed = views.every((view) => view.get('port') === `${master.port}` && view.get('flags') === 'master');
    const role = await master.cli('ROLE').catch(() => '');
    return isNamed && role.startsWith('master') ? master : undefined;
  }

  /** True when no failover is about to begin either: all others follow the master. */
  async #isFollowed(): Promise<boolean> {
    const master = await this.#agreed();
    if (!master) return false;
    const roles = await Promise.all(
      this.servers.filter((server) => server !== master).map((server) => server.cli('ROLE').catch(() => '')),
    );
    return roles.every((role) => role.startsWith('slave') && role.includes(`\n${master.port}\nconnected`));
  }

  /** What everybody says, for the reader of an error. */
  async #said(): Promise<string> {
    const said = this.group.sentinels.map(async (sentinel) => {
      const view = await fieldsOf(sentinel, 'MASTER', this.group.place.name);
      return `sentinel: ${view.get('port')} ${view.get('flags')}`;
    });
    const roles = this.servers.map(async (server) => {
      const role = await server.cli('ROLE').catch((error: unknown) => String(error));
      return `${server.port}: ${role.split('\n').slice(0, 4).join(' ')}`;
    });
    return (await Promise.all([...said, ...roles])).join('; ');
  }

  async #succeeded(old: RedisServer): Promise<void> {
    for (const deadline = performance.now() + SUCCEEDED_MS; (await this.#master()) === old; await delay(100)) {
      if (performance.now() > deadline) throw new Error('No replica took over.');
    }
  }
}

/** What a sentinel says; nothing when it does not answer. */
async function fieldsOf(sentinel: RedisServer, ...question: string[]): Promise<ReadonlyMap<string, string>> {
  const lines = (await sentinel.cli('SENTINEL', ...question).catch(() => '')).split('\n');
  return new Map(lines.flatMap((name, n) => (n % 2 === 0 ? [[name, lines[n + 1] ?? ''] as const] : [])));
}

/** How what nodes run on is started. */
export const GROUNDS = {
  redis: (random: SeededRandom): Promise<Ground> => SingleRedis.start(random),
  cluster: (random: SeededRandom): Promise<Ground> => ClusterGround.start(random),
  replica: (random: SeededRandom): Promise<Ground> => ReplicaGround.start(random),
  sentinel: (random: SeededRandom): Promise<Ground> => SentinelGround.start(random),
};
