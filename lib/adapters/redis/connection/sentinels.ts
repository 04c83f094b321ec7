import type { RedisClientOptions } from '@redis/client';
import { masterReportIn, newestOf, type HostPort, type MasterReport } from './master-report.js';
import { RedisConnection, unavailable, type RedisClient } from './redis-connection.js';
import type { RedisSettings } from './redis-options.js';
import type { RedisSentinelOptions } from './redis-place.js';

/** The wait for slower sentinels once one has answered, in milliseconds. */
const GRACE_MS = 200;

const UNKNOWN_MASTER = /No such master/;

/** The sentinels that watch one master. */
export class Sentinels {
  /** Listens to one sentinel; each life of the connection asks the next one. */
  readonly #news: RedisConnection;
  #turn = 0;

  /**
   * @param create creates a client that is not connected yet
   * @param switched called when a sentinel says that there is another master
   */
  constructor(
    private readonly options: RedisSentinelOptions,
    private readonly create: (options: RedisClientOptions) => RedisClient,
    private readonly settings: RedisSettings,
    switched: () => void,
  ) {
    const { name, nodes } = options;
    const next = () => this.#clientOf(nodes[this.#turn++ % nodes.length]!);
    const heard = (message: string): void => {
      if (message.split(' ', 1)[0] === name) switched();
    };
    this.#news = new RedisConnection(`Sentinel of ${name}`, next, settings, {
      setUp: () => this.#news.run((client) => client.subscribe('+switch-master', heard)),
      // While nobody could be listened to, the master may have changed.
      changed: () => this.#news.isUp && switched(),
    });
  }

  /** Begins to listen. Reconnects by itself. */
  listen(): void {
    this.#news.open().catch(() => undefined);
  }

  tick(): void {
    this.#news.tick();
  }

  close(): void {
    this.#news.close();
  }

  /**
   * Asks all sentinels at the same time, and takes the newest answer: one that was cut off must not lead back to an old master.
   * Rejects with `UNAVAILABLE` if none knows the master.
   */
  async master(): Promise<MasterReport> {
    const { name, nodes } = this.options;
    const reports: MasterReport[] = [];
    let failure: unknown = new Error(`the sentinels do not say where the master "${name}" is`);
    const ended = new AbortController();
    const asking = nodes.map(async (node) => {
      try {
        const report = await this.#ask(node, ended.signal);
        if (report) reports.push(report);
      } catch (error) {
        failure = UNKNOWN_MASTER.test(String(error)) ? new Error(`the sentinels watch no master "${name}"`) : error;
      }
    });
    await firstAnswer(asking, reports);
    ended.abort();
    const newest = newestOf(reports);
    if (newest === undefined) throw unavailable(failure);
    return { ...newest, address: this.options.nodeAddressMap?.(newest.address) ?? newest.address };
  }

  async #ask(node: HostPort, signal: AbortSignal): Promise<MasterReport | undefined> {
    const client = this.#clientOf(node);
    client.on('error', () => undefined);
    const give = () => client.destroy();
    signal.addEventListener('abort', give, { once: true });
    const deadline = setTimeout(give, this.settings.commandTimeoutMs);
    try {
      await client.connect();
      const { name } = this.options;
      const [address, fields] = await Promise.all([
        client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]),
        client.sendCommand(['SENTINEL', 'MASTER', name]),
      ]);
      return masterReportIn(address, fields);
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', give);
      client.destroy();
    }
  }

  #clientOf({ host, port }: HostPort): RedisClient {
    const { sentinelClient } = this.options;
    return this.create({ ...sentinelClient, socket: { ...sentinelClient?.socket, host, port } });
  }
}

/** Resolves when all have ended, or a while after the first report. */
async function firstAnswer(asking: readonly Promise<void>[], reports: readonly MasterReport[]): Promise<void> {
  const all = Promise.all(asking);
  const first = new Promise<void>((resolve) => {
    for (const each of asking) void each.then(() => reports.length > 0 && resolve());
  });
  await Promise.race([all, first]);
  if (reports.length === asking.length) return;
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, GRACE_MS)));
  await Promise.race([all, grace]);
  clearTimeout(timer);
}
