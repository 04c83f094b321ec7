import type { TestProject } from 'vitest/node';
import { startRedisCluster } from './redis-cluster.js';
import { startSentinelGroup } from './redis-sentinel.js';
import { RedisServer } from './redis-server.js';
import type { StagePlan, StageRedis } from './stage.js';

/**
 * Starts the Redis that the stages of a project share; tests do not meet there, for each stage has a prefix of its own.
 * Without Redis every one of those tests says what to do.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { backend } = project.getProvidedContext().stage;
  let end = async () => {};
  const place = await start(backend, (given) => (end = given)).catch((error: Error) => error.message);
  if (place !== undefined) project.provide('redis', place);
  return () => end();
}

async function start(
  backend: StagePlan['backend'],
  finished: (end: () => Promise<void>) => void,
): Promise<StageRedis | undefined> {
  switch (backend) {
    case 'memory':
      return undefined;
    case 'redis': {
      const server = await RedisServer.start();
      finished(() => server.end());
      return { url: server.url };
    }
    case 'redis-sentinel': {
      // Otherwise each node warns that the master acknowledges publications without its replicas.
      const { place } = await startSentinelGroup({ args: ['--min-replicas-to-write', '1'], finished });
      return { sentinel: place };
    }
    case 'redis-cluster': {
      const { urls } = await startRedisCluster({ finished });
      return { cluster: { rootNodes: urls.map((url) => ({ url })) } };
    }
  }
}
