import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { RedisServer, type RedisOptions } from './redis-server.js';

/** The name under which the sentinels watch the master. */
export const MASTER_NAME = 'mymaster';

const FORMED_MS = 30_000;

/** A master with replicas, watched by sentinels, that belongs to a test. */
export interface SentinelGroup {
  /** The first is the master, until a failover. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The options of `redisBackend()` that lead to it. */
  readonly place: {
    readonly name: string;
    readonly nodes: readonly { readonly host: string; readonly port: number }[];
  };
  /** The server that most sentinels name as the master. */
  master(): Promise<RedisServer>;
  /**
   * Resolves when the failover from a master is over: every sentinel names another one. A server that comes back before may find
   * sentinels of the old opinion, which make the promoted replica its replica again.
   */
  replaced(old: RedisServer): Promise<void>;
}

/** How a group is made. */
export interface SentinelOptions extends Pick<RedisOptions, 'args' | 'finished'> {
  /** More of the configuration of each sentinel. */
  readonly sentinelConfig?: readonly string[];
  /** The password of the sentinels. */
  readonly password?: string;
}

/** Starts a master, two replicas and three sentinels; resolves when each sentinel knows all of them. */
export async function startSentinelGroup({
  args = [],
  sentinelConfig = [],
  password,
  finished = onTestFinished,
}: SentinelOptions = {}): Promise<SentinelGroup> {
  const servers: RedisServer[] = [];
  const sentinels: RedisServer[] = [];
  finished(async () => {
    await Promise.all([...sentinels, ...servers].map((server) => server.end()));
  });
  // Sentinels have servers keep their roles in their files. Without one, a promoted replica that restarts would be a replica again.
  const serve = (config: readonly string[]) =>
    RedisServer.start({ args: ['--repl-diskless-sync-delay', '0', ...args], config });
  servers.push(await serve([]));
  const { port } = servers[0]!;
  for (let index = 0; index < 2; index++) servers.push(await serve([`replicaof 127.0.0.1 ${port}`]));
  for (let index = 0; index < 3; index++) {
    const sentinel = [
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${port} 2`,
      `sentinel down-after-milliseconds ${MASTER_NAME} 500`,
      `sentinel failover-timeout ${MASTER_NAME} 3000`,
      ...sentinelConfig,
    ];
    sentinels.push(await RedisServer.start({ sentinel }));
  }
  const ask = (sentinel: RedisServer, ...command: string[]) =>
    password === undefined ? sentinel.cli(...command) : sentinel.cli('-a', password, '--no-auth-warning', ...command);
  /** Whether a sentinel knows both replicas and both other sentinels, and takes the master for alive. */
  const isFormed = async (sentinel: RedisServer) => {
    const lines = (await ask(sentinel, 'SENTINEL', 'MASTER', MASTER_NAME)).split('\n');
    const [replicas, others, flags] = ['num-slaves', 'num-other-sentinels', 'flags'].map(
      (name) => lines[lines.indexOf(name) + 1],
    );
    return replicas === '2' && others === '2' && flags === 'master';
  };
  const deadline = Date.now() + FORMED_MS;
  while (!(await Promise.all(sentinels.map(isFormed))).every(Boolean)) {
    if (Date.now() > deadline) throw new Error(`The sentinels did not find each other in ${FORMED_MS} ms.`);
    await delay(50);
  }
  const named = (sentinel: RedisServer) =>
    ask(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME).then(
      (reply) => Number(reply.split('\n')[1]),
      () => undefined,
    );
  return {
    servers,
    sentinels,
    place: { name: MASTER_NAME, nodes: sentinels.map((sentinel) => ({ host: '127.0.0.1', port: sentinel.port })) },
    async master() {
      const ports = await Promise.all(sentinels.map(named));
      const found = servers.find((server) => ports.filter((each) => each === server.port).length >= 2);
      if (!found) throw new Error('The sentinels do not agree on a master.');
      return found;
    },
    async replaced(old) {
      const until = Date.now() + FORMED_MS;
      for (;;) {
        const ports = new Set(await Promise.all(sentinels.map(named)));
        const [other] = ports;
        if (ports.size === 1 && other !== undefined && other !== old.port) return;
        if (Date.now() > until) throw new Error(`The sentinels did not replace the master in ${FORMED_MS} ms.`);
        await delay(50);
      }
    },
  };
}
