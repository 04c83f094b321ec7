import type { RedisClientOptions, RedisClusterOptions } from '@redis/client';
import { WarnOnChange } from './warn-on-change.js';
import { hashSlot } from './hash-slot.js';
import { unavailable, type RedisClient } from './redis-connection.js';
import { RedisNetwork, type ScriptCall } from './redis-network.js';
import type { RedisSettings } from './redis-options.js';
import type { RedisScript } from './redis-script.js';
import { RedisServer } from './redis-server.js';
import { ServersAhead } from './servers-ahead.js';
import { SlotMoves } from './slot-moves.js';
import { SafeLogger } from '../../../errors/safe-logger.js';
import { TopologyRefresh } from './topology-refresh.js';

/** The refresh interval of the slot map otherwise, in milliseconds. */
const ROUTINE_REFRESH_MS = 30_000;

/** A range of slots, and the address of the server that owns it. */
interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly address: string;
}

/** A Redis Cluster: each master serves the partitions whose slots it owns. */
export class ClusterNetwork extends RedisNetwork {
  #ranges: readonly SlotRange[] = [];
  #byPartition: (RedisServer | undefined)[] = [];
  #isClosed = false;
  readonly #topology = new TopologyRefresh(
    () => this.#ask(),
    ROUTINE_REFRESH_MS,
    new WarnOnChange(new SafeLogger(ClusterNetwork.name), 'The slot map of the Redis Cluster could not be read'),
  );
  /** Servers that are being connected for the first time. */
  readonly #opened = new Map<RedisServer, Promise<void>>();
  readonly #ahead: ServersAhead;
  readonly #moves: SlotMoves;
  /** The server that knows more than the others. */
  #informed: string | undefined;

  /**
   * @param create creates a client that is not connected yet
   * @param keysOf names the keys of a partition that tell which run of a server has written there: history's and presence's
   */
  constructor(
    private readonly options: RedisClusterOptions,
    private readonly create: (options: RedisClientOptions) => RedisClient,
    private readonly settings: RedisSettings,
    keysOf: (partition: number) => readonly [term: string, presence: string],
    private readonly slotOf: (partition: number) => number = (partition) => hashSlot(`{${partition}}`),
  ) {
    super();
    this.#ahead = new ServersAhead((address) => this.create(this.#optionsOf(address)), settings);
    const slots = {
      serverOf: (partition: number) => this.serverOf(partition),
      reach: (address: string) => this.#reach(address),
      relearn: (address: string) => this.#relearn(address),
    };
    this.#moves = new SlotMoves(slots, settings, keysOf);
  }

  override run(script: RedisScript, call: ScriptCall): Promise<unknown> {
    return this.#moves.run(script, call);
  }

  serverOf(partition: number): RedisServer | undefined {
    return this.#byPartition[partition];
  }

  serverOfSlot(slot: number): RedisServer | undefined {
    const range = this.#ranges.find(({ from, to }) => slot >= from && slot <= to);
    return range && this.servers.get(range.address);
  }

  override refresh(): void {
    this.#topology.doubt();
  }

  override moved(): void {
    void this.#relearn();
  }

  override tick(): readonly RedisServer[] {
    this.#topology.tick(!this.isAttached);
    this.#ahead.tick();
    return super.tick();
  }

  override close(): void {
    super.close();
    this.#ahead.close();
    this.#isClosed = true;
  }

  protected async connect(): Promise<void> {
    await this.#topology.now();
    await Promise.all(this.#opened.values());
  }

  async #reach(address: string): Promise<RedisServer> {
    const server = this.servers.get(address);
    if (server === undefined) return this.#ahead.reach(address);
    await this.#opened.get(server);
    return server;
  }

  async #relearn(address?: string): Promise<void> {
    if (address !== undefined) this.#informed = address;
    this.#topology.doubt();
    await this.#topology.now().catch(() => undefined);
  }

  /** Asks the servers in turn until one returns the slot map. */
  async #ask(): Promise<void> {
    let failure: unknown;
    for (const options of this.#whomToAsk()) {
      if (this.#isClosed) return;
      try {
        this.#learn(await this.#slotsBy(options));
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw unavailable(failure);
  }

  #whomToAsk(): RedisClientOptions[] {
    const known = this.all().map(({ address }) => this.#optionsOf(address));
    if (this.#informed !== undefined) known.unshift(this.#optionsOf(this.#informed));
    this.#informed = undefined;
    return [...known, ...this.options.rootNodes.map((node) => this.#withDefaults(node))];
  }

  async #slotsBy(options: RedisClientOptions): Promise<SlotRange[]> {
    const client = this.create(options);
    client.on('error', () => undefined);
    const deadline = setTimeout(() => client.destroy(), this.settings.commandTimeoutMs);
    try {
      await client.connect();
      return rangesIn(await client.sendCommand(['CLUSTER', 'SLOTS']), hostOf(options));
    } finally {
      clearTimeout(deadline);
      client.destroy();
    }
  }

  #learn(ranges: readonly SlotRange[]): void {
    if (this.#isClosed) return;
    if (ranges.length === 0) throw new Error('The Redis Cluster has no slots yet.');
    this.#ranges = ranges;
    const partitionsOf = new Map<string, Set<number>>();
    for (let partition = 0; partition < this.settings.partitions; partition++) {
      const slot = this.slotOf(partition);
      const range = ranges.find(({ from, to }) => slot >= from && slot <= to);
      if (range) partitionsOf.set(range.address, (partitionsOf.get(range.address) ?? new Set()).add(partition));
    }
    for (const address of ranges.map((range) => range.address)) {
      if (!partitionsOf.has(address)) partitionsOf.set(address, new Set());
    }
    this.#adopt(partitionsOf);
  }

  #adopt(partitionsOf: ReadonlyMap<string, ReadonlySet<number>>): void {
    for (const [address, server] of this.servers) {
      if (partitionsOf.has(address)) continue;
      this.servers.delete(address);
      server.close();
    }
    const before = this.#byPartition;
    this.#byPartition = [];
    for (const [address, partitions] of partitionsOf) {
      const known = this.servers.get(address);
      const server = known ?? this.#server(address);
      const isChanged = !areEqual(server.partitions, partitions);
      server.partitions = partitions;
      for (const partition of partitions) this.#byPartition[partition] = server;
      if (known === undefined) this.#open(server);
      for (const partition of partitions) {
        if (before[partition] !== undefined && before[partition] !== server) this.#moves.moved(partition, server);
      }
      // A new connection subscribes to the gained channels only, and has no subscriptions for the lost ones.
      if (known !== undefined && isChanged) server.subscriber.restart('its slots have changed');
    }
  }

  #open(server: RedisServer): void {
    const opened = server.open();
    // The boot waits for it, and calls that follow a redirection; a failed attempt is retried.
    this.#opened.set(server, opened);
    opened.catch(() => undefined).finally(() => this.#opened.delete(server));
  }

  #server(address: string): RedisServer {
    const server = new RedisServer(
      address,
      true,
      () => this.create(this.#optionsOf(address)),
      this.settings,
      this.events,
    );
    this.servers.set(address, server);
    return server;
  }

  #optionsOf(address: string): RedisClientOptions {
    const { nodeAddressMap } = this.options;
    const mapped = typeof nodeAddressMap === 'function' ? nodeAddressMap(address) : nodeAddressMap?.[address];
    const at = address.lastIndexOf(':');
    const { host, port } = mapped ?? { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    return this.#withDefaults({ socket: { host, port } });
  }

  #withDefaults(options: RedisClientOptions): RedisClientOptions {
    const { defaults } = this.options as { defaults?: RedisClientOptions };
    return { ...defaults, ...options, socket: { ...defaults?.socket, ...options.socket } as never };
  }
}

/** Parses the reply to CLUSTER SLOTS: `[from, to, [host, port, …], …replicas]` for each range. */
function rangesIn(reply: unknown, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return reply.map((entry: unknown) => {
    const [from, to, [host, port]] = entry as [number, number, [string | null, number]];
    // A server that does not know its own host is reached at the host that was asked.
    return { from, to, address: `${host || askedHost}:${port}` };
  });
}

function hostOf({ url, socket }: RedisClientOptions): string {
  return url === undefined ? ((socket as { host?: string } | undefined)?.host ?? 'localhost') : new URL(url).hostname;
}

function areEqual(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((member) => b.has(member));
}
