import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import { redisServerPath } from '../helpers/redis-server.js';

/** A sample as its launcher runs it: Redis and two nodes. */
export interface SampleCluster {
  /** The address of the page that it prints. */
  readonly url: string;
  /** The addresses of the nodes. */
  readonly nodes: readonly string[];
  /** The address of its Redis. */
  readonly redis: string;
  /** Ends everything as Ctrl+C does; resolves to the exit code of the launcher. */
  stop(): Promise<number | null>;
}

/** The output of the launcher, and its exit. */
export interface LauncherEnd {
  readonly code: number | null;
  readonly output: string;
}

/** The compiled launchers, in the folder of the samples. */
const LAUNCHERS = {
  '02-cluster': '02-cluster/dist/02-cluster/src/launcher/start.js',
  '03-ai-chat': '03-ai-chat/dist/03-ai-chat/src/start.js',
};

/** Starts a sample on free ports, and waits until both nodes listen. */
export async function startCluster(sample: keyof typeof LAUNCHERS = '02-cluster'): Promise<SampleCluster> {
  const { child, exited, output } = launch(sample, { PORT: '0', REDIS_SERVER_PATH: await redisServerPath() });
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);

  const [url, redis] = await new Promise<[string, string]>((resolve, reject) => {
    child.stdout.on('data', () => {
      const [, page] = /Open (http:\S+)/.exec(output()) ?? [];
      const [, place] = /Redis (redis:\S+)/.exec(output()) ?? [];
      if (page && place) resolve([page, place]);
    });
    void exited.then(() => reject(new Error(`The sample ended before it listened:\n${output()}`)), reject);
  });
  const nodes = (await (await fetch(new URL('/nodes', url))).json()) as string[];

  return {
    url,
    nodes,
    redis,
    async stop() {
      process.off('exit', kill);
      kill();
      return exited;
    },
  };
}

/** Runs the launcher of sample 02 where it cannot start, and waits for its end. */
export async function launchInVain(env: NodeJS.ProcessEnv): Promise<LauncherEnd> {
  const { exited, output } = launch('02-cluster', { PORT: '0', ...env });
  return { code: await exited, output: output() };
}

function launch(sample: keyof typeof LAUNCHERS, env: NodeJS.ProcessEnv) {
  const launcher = join(inject('samples'), LAUNCHERS[sample]);
  const { REDIS_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [launcher], {
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, exited, output: () => output };
}
