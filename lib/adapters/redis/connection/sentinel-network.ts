import type { RedisClientOptions } from '@redis/client';
import { SafeLogger } from '../../../errors/safe-logger.js';
import { isOutdated, type HostPort, type MasterReport } from './master-report.js';
import type { RedisClient } from './redis-connection.js';
import { RedisNetwork } from './redis-network.js';
import type { RedisSettings } from './redis-options.js';
import type { RedisSentinelOptions } from './redis-place.js';
import { RedisServer } from './redis-server.js';
import { Sentinels } from './sentinels.js';
import { TopologyRefresh } from './topology-refresh.js';
import { WarnOnChange } from './warn-on-change.js';

/** The interval of questions to the sentinels while the master is attached, in milliseconds. */
const ROUTINE_REFRESH_MS = 10_000;

const logger = new SafeLogger('SentinelNetwork');

/** A network of one server, which serves every partition: the master that the sentinels name. */
export class SentinelNetwork extends RedisNetwork {
  readonly #sentinels: Sentinels;
  readonly #topology: TopologyRefresh;
  #server: RedisServer | undefined;
  #master: MasterReport | undefined;
  #opened: Promise<void> | undefined;
  #isClosed = false;

  /** @param create creates a client that is not connected yet */
  constructor(
    private readonly options: RedisSentinelOptions,
    private readonly create: (options: RedisClientOptions) => RedisClient,
    private readonly settings: RedisSettings,
  ) {
    super();
    this.#sentinels = new Sentinels(options, create, settings, () => void this.#topology.now().catch(() => undefined));
    const warnings = new WarnOnChange(logger, `The master ${options.name} is not known`);
    this.#topology = new TopologyRefresh(() => this.#ask(), ROUTINE_REFRESH_MS, warnings);
  }

  serverOf(): RedisServer | undefined {
    return this.#server;
  }

  serverOfSlot(): RedisServer | undefined {
    return this.#server;
  }

  override refresh(): void {
    this.#topology.doubt();
  }

  override tick(): readonly RedisServer[] {
    this.#sentinels.tick();
    this.#topology.tick(!this.isAttached);
    return super.tick();
  }

  override close(): void {
    this.#isClosed = true;
    this.#sentinels.close();
    super.close();
  }

  protected async connect(): Promise<void> {
    try {
      await this.#topology.now();
      await this.#opened;
    } finally {
      if (!this.#isClosed) this.#sentinels.listen();
    }
  }

  async #ask(): Promise<void> {
    const master = await this.#sentinels.master();
    const known = this.#master;
    if (this.#isClosed || isOutdated(master, known, this.isAttached)) return;
    this.#master = master;
    const { host, port } = master.address;
    if (this.#server === undefined) this.#open();
    else if (known?.address.host !== host || known.address.port !== port) this.#move(this.#server, master.address);
  }

  /** Gives up both connections: publications that arrive from the old master are not part of the new one's history. */
  #move(server: RedisServer, { host, port }: HostPort): void {
    const why = `the sentinels name ${host}:${port} as the master`;
    logger.warn(`${server.address}: ${why}`);
    server.commands.redirect(why);
    server.subscriber.redirect(why);
  }

  #open(): void {
    const events = { ...this.events, connected: (server: RedisServer) => this.#verify(server) };
    const server = new RedisServer(this.options.name, false, () => this.#client(), this.settings, events);
    server.partitions = new Set([0]);
    this.#server = server;
    this.servers.set(server.address, server);
    // Only the boot waits for it; a failed attempt is retried.
    this.#opened = server.open();
    this.#opened.catch(() => undefined);
  }

  #client(): RedisClient {
    const { client } = this.options;
    return this.create({ ...client, socket: { ...client?.socket, ...this.#master?.address } });
  }

  /** Rejects if the server is no master: the sentinels may name a new master before it knows its role, or an old one that is back. */
  async #verify(server: RedisServer): Promise<void> {
    const reply: unknown = await server.commands.run((client) => client.sendCommand(['ROLE']));
    const role = Array.isArray(reply) ? String(reply[0]) : 'server of an unknown role';
    if (role === 'master') return;
    this.#topology.doubt();
    const { host, port } = this.#master!.address;
    throw new Error(`${host}:${port} is a ${role}, not the master`);
  }
}
