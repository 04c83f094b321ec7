import { createClient, type RedisClientType } from '@redis/client';
import { RedisServer } from '../../test/helpers/redis-server.js';

/** A Redis of its own, and what it says about its work. */
export class MeasuredRedis {
  private constructor(
    readonly url: string,
    private readonly client: Pick<RedisClientType, 'sendCommand' | 'destroy'>,
    private readonly finish: () => Promise<void>,
  ) {}

  static async start(): Promise<MeasuredRedis> {
    let finish = async () => {};
    const { url } = await RedisServer.start({ args: ['--save', ''], finished: (end) => void (finish = end) });
    const client = createClient({ url });
    await client.connect();
    return new MeasuredRedis(url, client, finish);
  }

  async end(): Promise<void> {
    this.client.destroy();
    await this.finish();
  }

  send(...args: string[]): Promise<unknown> {
    return this.client.sendCommand(args);
  }

  /** The memory of the data, in bytes. */
  async memory(): Promise<number> {
    return Number(fieldOf(String(await this.send('INFO', 'memory')), 'used_memory'));
  }

  /** Runs something. @returns the CPU time of Redis meanwhile, in microseconds, and the longest command, in milliseconds */
  async costOf(act: () => Promise<unknown>): Promise<{ readonly cpuUs: number; readonly longestMs: number }> {
    await this.send('CONFIG', 'SET', 'latency-monitor-threshold', '1');
    await this.send('LATENCY', 'RESET');
    const before = await this.#cpuUs();
    await act();
    const cpuUs = (await this.#cpuUs()) - before;
    const latest = (await this.send('LATENCY', 'LATEST')) as readonly (readonly unknown[])[];
    const longestMs = Math.max(
      0,
      ...latest.filter(([event]) => event === 'command').map(([, , , most]) => Number(most)),
    );
    return { cpuUs, longestMs };
  }

  async #cpuUs(): Promise<number> {
    const info = String(await this.send('INFO', 'cpu'));
    return (Number(fieldOf(info, 'used_cpu_user')) + Number(fieldOf(info, 'used_cpu_sys'))) * 1_000_000;
  }
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];
}
