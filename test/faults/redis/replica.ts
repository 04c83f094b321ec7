import { expect } from 'vitest';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';

/** Starts a server that copies another one; resolves when it is up to date. */
export async function startReplica(of: RedisServer, args: readonly string[] = []): Promise<RedisServer> {
  await of.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', 0);
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${of.port}`, ...args] });
  await expect.poll(() => replica.cli('INFO', 'replication')).toContain('master_link_status:up');
  return replica;
}
