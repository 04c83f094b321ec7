import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { locate, type SystemProgram } from './system-program.js';

const REDIS_SERVER: SystemProgram = {
  names: ['redis-server'],
  pathVariable: 'REDIS_SERVER_PATH',
  packages: ['redis-server'],
  cure:
    'These tests need Redis 7 or newer. Install it (on Debian: sudo apt-get install redis-server), or set ' +
    'REDIS_SERVER_PATH to the executable redis-server, beside which redis-cli is expected.',
};

/** Ports outside the ephemeral range of all systems, so that no other process takes the port of a server that is down. */
const PORTS = [20_000, 30_000] as const;
const MAX_ATTEMPTS = 20;
/** Sentinels say it in other words. */
const READY = /Ready to accept connections|Sentinel ID is/;
const IN_USE = 'Address already in use';

/** Servers do not outlive the process that started them. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** How a server is run. */
export interface RedisOptions {
  /** More of its configuration, as on its command line: `['--maxmemory', '64mb']`. */
  readonly args?: readonly string[];
  /** Lines of a configuration file, which makes it a sentinel. */
  readonly sentinel?: readonly string[];
  /** Lines of a configuration file that it may rewrite: after a restart it has the role that a sentinel gave it. */
  readonly config?: readonly string[];
  /** As a node of a Redis Cluster, which has another port for talking to the others. Default: `false`. */
  readonly isClusterNode?: boolean;
  /** Told how to end it. Default: it is ended when the test has finished. */
  readonly finished?: (end: () => Promise<void>) => void;
}

/** Returns the path of `redis-server`. If missing, it is installed where apt and root allow it; otherwise this rejects with instructions. */
export function redisServerPath(): Promise<string> {
  return locate(REDIS_SERVER);
}

/** Starts a Redis of its own, which keeps nothing, on a free port of 127.0.0.1; resolves when it serves. */
export async function startRedis({ finished = onTestFinished, ...options }: RedisOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  finished(() => server.end());
  return server;
}

/** A `redis-server` that belongs to a test. */
export class RedisServer {
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(
    private readonly program: string,
    /** The folder that it works in. */
    readonly dir: string,
    readonly port: number,
    /** The port for the other nodes of its cluster. */
    readonly busPort: number | undefined,
    private readonly args: readonly string[],
    private readonly isSentinel: boolean,
    private readonly config: readonly string[] | undefined,
  ) {}

  /** Like {@link startRedis}, but the caller has to end it. */
  static async start({ args = [], isClusterNode = false, sentinel, config }: RedisOptions = {}): Promise<RedisServer> {
    const program = await redisServerPath();
    const dir = await mkdtemp(join(tmpdir(), 'nestjs-realtime-redis-'));
    for (let attempt = 1; ; attempt++) {
      const busPort = isClusterNode ? randomInt(...PORTS) : undefined;
      const lines = sentinel ?? config;
      const server = new RedisServer(program, dir, randomInt(...PORTS), busPort, args, sentinel !== undefined, lines);
      try {
        await server.#run();
        return server;
      } catch (error) {
        if (attempt < MAX_ATTEMPTS && server.#said.includes(IN_USE)) continue;
        await server.end();
        throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Its log since the last start. */
  get log(): string {
    return this.#said;
  }

  /** Ends it as an operator would. */
  stop(): Promise<void> {
    return this.#exit('SIGTERM');
  }

  /** Ends it at once, as a crash would. */
  kill(): Promise<void> {
    return this.#exit('SIGKILL');
  }

  /** Ends it, if it is still there, and starts it again on the same port and in the same folder; resolves when it serves. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#run();
  }

  /** Halts the process: its connections stay open, and nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Returns the output of `redis-cli` for a command. Rejects with the error of Redis. */
  async cli(...command: readonly (string | number)[]): Promise<string> {
    const args = ['-e', '-h', '127.0.0.1', '-p', `${this.port}`, ...command.map(String)];
    const { stdout } = await promisify(execFile)(join(dirname(this.program), 'redis-cli'), args, {
      maxBuffer: 2 ** 28,
    });
    return stdout.trimEnd();
  }

  /** Ends it for good, and removes its folder. */
  async end(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    this.#said = '';
    const bus = this.busPort ? ['--cluster-enabled', 'yes', '--cluster-port', `${this.busPort}`] : [];
    const where = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.dir];
    const file = this.config ? [await this.#configured(this.config)] : [];
    const args = this.isSentinel
      ? [...file, '--sentinel', ...where, ...this.args]
      : [...file, ...where, '--save', '', '--appendonly', 'no', ...bus, ...this.args];
    const child = (this.#child = spawn(this.program, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    running.add(child);
    const exited = once(child, 'exit').finally(() => running.delete(child));
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          this.#said += `${line}\n`;
          if (READY.test(line)) resolve();
        });
      }
      exited.then(() => reject(new Error(`redis-server ended before it served:\n${this.#said}`)), reject);
    });
  }

  /** Redis writes what changes into its file: one that is started again goes on from there. */
  async #configured(lines: readonly string[]): Promise<string> {
    const file = join(this.dir, 'redis.conf');
    await writeFile(file, `${lines.join('\n')}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return file;
  }

  async #exit(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    // A halted process hears of nothing but SIGKILL.
    child.kill('SIGCONT');
    await exited;
  }
}
