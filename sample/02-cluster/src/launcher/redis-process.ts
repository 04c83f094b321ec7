import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { startChild, stopChild } from './child.js';
import { freePorts } from './ports.js';

const READY = 'Ready to accept connections';

const CURE = `The nodes reach each other over Redis, and there is no redis-server on this machine. Any of these helps:
  - install it: sudo apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS)
  - say where it is: REDIS_SERVER_PATH=/path/to/redis-server
  - use a Redis that runs already: REDIS_URL=redis://localhost:6379`;

/** A Redis that the nodes can use. */
export interface Redis {
  readonly url: string;
  /** Stops it, if it was started here. */
  stop(): Promise<void>;
}

/**
 * The Redis at `REDIS_URL`; without that, one of our own on a free port of 127.0.0.1, which keeps nothing on disk. Its
 * program is `REDIS_SERVER_PATH`, or the `redis-server` in `PATH`. `onExit` is told when that ends by itself.
 * @throws Error that says what to install, or what Redis said
 */
export async function startRedis(onExit: () => void): Promise<Redis> {
  const given = process.env['REDIS_URL'];
  if (given) return { url: given, stop: async () => {} };
  const [port] = await freePorts([0]);
  const where = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', tmpdir()];
  const child = startChild(
    process.env['REDIS_SERVER_PATH'] ?? 'redis-server',
    [...where, '--save', '', '--appendonly', 'no'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout!).on('line', (line) => {
      lines.push(line);
      if (line.includes(READY)) resolve();
    });
    child.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? new Error(CURE) : error));
    child.once('exit', () => reject(new Error(`redis-server ended before it served:\n${lines.join('\n')}`)));
  });
  child.once('exit', onExit);
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: () => {
      child.off('exit', onExit);
      return stopChild(child);
    },
  };
}
