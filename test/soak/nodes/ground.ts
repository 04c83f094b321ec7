import type { RedisBackendOptions } from 'nestjs-realtime/redis';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ways } from '../../faults/load/node/place-through.js';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import type { RedisServer } from '../../helpers/redis-server.js';
import { TcpProxy } from '../../helpers/tcp-proxy.js';

/** How a fault of a server is called, and what it does; it resolves when the fault is over. */
export type Faults = Readonly<Record<string, () => Promise<unknown>>>;

/** The servers of a run, and the way of each node to them. */
export abstract class Ground {
  readonly #ways: TcpProxy[][] = [];

  protected constructor(
    readonly servers: readonly RedisServer[],
    protected readonly random: SeededRandom,
  ) {}

  /** The options of a node, which leads its connections over proxies of its own. */
  abstract place(index: number): { readonly redis: RedisBackendOptions; readonly ways?: Ways };

  /** The servers that take writes. */
  abstract masters(): Promise<readonly RedisServer[]>;

  /** The faults that this kind of Redis has beside those of all. */
  protected abstract readonly own: Faults;

  /** The faults by which data may be lost. */
  readonly losing: RegExp = /killed|emptied|takes? over|two masters|crashes/;

  /** Ends everything that was started. */
  abstract end(): Promise<void>;

  /** The proxies between a node and the servers. */
  ways(index: number): readonly TcpProxy[] {
    return this.#ways[index]!;
  }

  /** Opens the ways of so many nodes. */
  async open(nodes: number): Promise<void> {
    for (let index = 0; index < nodes; index++) {
      this.#ways.push(await Promise.all(this.targets.map((port) => TcpProxy.start(port))));
    }
  }

  get faults(): Faults {
    return {
      'Redis is killed': () => this.#kill(0),
      'Redis is killed after it has saved': () => this.#kill(this.between(200, 1_000)),
      'Redis halts': () => this.#halt(),
      'Redis is slow for everybody': () => this.#slow(),
      'Redis is emptied': () => this.#each('FLUSHALL'),
      'Redis forgets its scripts': () => this.#each('SCRIPT', 'FLUSH'),
      'Redis is full': () => this.#full(),
      'Redis cannot save': () => this.#cannotSave(),
      'Redis ends the connections for subscriptions': () => this.#each('CLIENT', 'KILL', 'TYPE', 'PUBSUB'),
      ...this.own,
    };
  }

  /** Makes everything well again. @returns true when data may have been lost by that */
  async heal(): Promise<boolean> {
    for (const ways of this.#ways) for (const way of ways) way.pass();
    let isLossy = false;
    for (const server of this.servers) {
      server.resume();
      await server.cli('PING').catch(() => {
        isLossy = true;
        return server.restart();
      });
      await server.cli('CONFIG', 'SET', 'maxmemory', 0);
      await server.cli('CONFIG', 'SET', 'save', '');
    }
    return isLossy;
  }

  /** The ports that each node has a proxy to. */
  protected get targets(): readonly number[] {
    return this.servers.map(({ port }) => port);
  }

  protected waysOf(index: number): Ways {
    const pairs = this.ways(index).map((way, n) => [
      `127.0.0.1:${this.targets[n]!}`,
      { host: '127.0.0.1', port: way.port },
    ]);
    return Object.fromEntries(pairs) as Ways;
  }

  protected between(least: number, most: number): number {
    return least + this.random.below(most - least);
  }

  protected async closeWays(): Promise<void> {
    await Promise.all(this.#ways.flat().map((way) => way.close()));
  }

  async #each(...command: string[]): Promise<void> {
    for (const server of await this.masters()) await server.cli(...command);
  }

  async #any(): Promise<RedisServer> {
    return this.random.pick(await this.masters());
  }

  /** It comes back with what it has saved, if ever it has. @param writtenMs how long it goes on after it has saved; 0: it does not save */
  async #kill(writtenMs: number): Promise<void> {
    const server = await this.#any();
    if (writtenMs > 0) {
      await server.cli('SAVE');
      await delay(writtenMs);
    }
    await server.kill();
    await delay(this.between(0, 1_000));
    await server.restart();
  }

  async #halt(): Promise<void> {
    const server = await this.#any();
    server.pause();
    await delay(this.between(500, 6_000));
    server.resume();
  }

  /** It stands still again and again, and so does everything that it sends. */
  async #slow(): Promise<void> {
    const server = await this.#any();
    const [stillMs, forMs] = [this.between(20, 250), this.between(1_000, 5_000)];
    try {
      for (const end = performance.now() + forMs; performance.now() < end; await delay(20)) {
        server.pause();
        await delay(stillMs);
        server.resume();
      }
    } finally {
      server.resume();
    }
  }

  async #full(): Promise<void> {
    const server = await this.#any();
    await server.cli('CONFIG', 'SET', 'maxmemory', 1);
    await delay(this.between(500, 4_000));
    await server.cli('CONFIG', 'SET', 'maxmemory', 0);
  }

  /** A folder stands where its file should be: after a failed save it takes no writes (`MISCONF`). */
  async #cannotSave(): Promise<void> {
    const server = await this.#any();
    const file = join(server.dir, 'dump.rdb');
    await rm(file, { force: true, recursive: true });
    await mkdir(file);
    try {
      await server.cli('CONFIG', 'SET', 'save', '3600 1');
      await server.cli('BGSAVE');
      await delay(this.between(1_000, 4_000));
    } finally {
      await server.cli('CONFIG', 'SET', 'save', '');
      await rm(file, { recursive: true });
    }
  }
}
