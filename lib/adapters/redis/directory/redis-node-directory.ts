import type { NodeCounts, NodeInfo } from '../../../core/bus/node-info.js';
import { FleetSight } from '../../../core/bus/fleet-sight.js';
import { HeldLeases } from '../../../core/bus/held-leases.js';
import { decodeLease, encodeLease } from '../../../core/bus/node-lease.js';
import { OwnLease } from '../../../core/bus/own-lease.js';
import { NodeDirectory, type NodeSelf } from '../../../ports/node-directory.js';
import { hashSlot } from '../connection/hash-slot.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import { unavailable } from '../connection/redis-connection.js';
import type { RedisTransport } from '../connection/redis-transport.js';
import { leasesScript } from './leases-script.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import { RedisScript } from '../connection/redis-script.js';
import type { RedisServer } from '../connection/redis-server.js';
import type { RedisSettings } from '../connection/redis-options.js';

/** The time for which leases and counts read from Redis are reused, in milliseconds. */
const FRESH_MS = 1_000;

/** Counts channels without sending their names. A channel exists as long as a node is subscribed to it. */
const countScript = new RedisScript("return #redis.call('PUBSUB', ARGV[1], ARGV[2])");

/**
 * Keeps a lease for each node in Redis, refreshed every `leaseRefreshMs`; Redis's own clock ends it after `leaseTtlMs`.
 * Each refresh also reads the leases of all other nodes, so a node's view of them is at most one interval old.
 *
 * Users and topics of several nodes are counted by their channels, over all servers, at most once a second and only when
 * asked for: it costs Redis a walk over all its channels, some 10 ms for each 100,000. A channel that was left lingers
 * (`lingerMs`), and is counted until it is gone.
 */
export class RedisNodeDirectory extends NodeDirectory {
  /** The lease of this node. */
  readonly ownLease: OwnLease;
  #self: NodeSelf | undefined;
  #isAttached = false;
  #others: ReadonlyMap<string, NodeInfo> = new Map();
  #liveOthers: readonly string[] = [];
  #isEveryOtherAttached = true;
  readonly #leases: HeldLeases;
  readonly #sight: FleetSight;
  readonly #slot: number;
  #timer: NodeJS.Timeout | undefined;
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;
  /** Why the leases could not be read the last time. */
  #failure: unknown;
  #counted: { readonly at: number; readonly users: number; readonly topics: number } | undefined;

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly settings: Pick<RedisSettings, 'leaseRefreshMs' | 'leaseTtlMs'>,
  ) {
    super();
    const { leaseTtlMs, leaseRefreshMs } = settings;
    const graceMs = leaseTtlMs - leaseRefreshMs;
    this.#leases = new HeldLeases(graceMs);
    this.#sight = new FleetSight(graceMs, Math.max(graceMs, 2 * leaseRefreshMs));
    this.ownLease = new OwnLease(leaseTtlMs);
    this.#slot = hashSlot(channels.leases[0]);
  }

  /**
   * True if the latest announcement of every other node says that it is attached, and every other node is known. A node whose lease
   * vanished before its expiry (a Redis that was emptied) counts as detached until it announces itself again, for `leaseTtlMs` less
   * `leaseRefreshMs` at least.
   */
  get isEveryNodeAttached(): boolean {
    return this.#isEveryOtherAttached && !this.#leases.isAnyMissing(performance.now()) && this.isFleetKnown;
  }

  /**
   * False while there may be nodes that have lost their leases: for `leaseTtlMs` less `leaseRefreshMs` after the server that
   * keeps them has started, after it has lost them (unless this node has read them before), and after this node could not read
   * them for a while.
   */
  get isFleetKnown(): boolean {
    return this.#sight.isWhole(performance.now(), this.#server?.startedBy ?? Infinity);
  }

  /** The other nodes whose lease has not expired, as far as this node knows. */
  liveOthers(): readonly string[] {
    return this.#liveOthers;
  }

  /** False for a node that has ended, or whose lease has run out. */
  isLive(id: string): boolean {
    return this.#others.has(id);
  }

  async open(self: NodeSelf): Promise<void> {
    this.#self = self;
    this.#sight.open();
    this.#timer = setInterval(() => void this.#refresh(), this.settings.leaseRefreshMs);
    await this.#refresh();
    void this.#announce(this.#isAttached, false);
  }

  async nodes(): Promise<readonly NodeInfo[]> {
    await this.#isFresh();
    return this.#known();
  }

  /** Rejects also if Redis is attached, but refuses the leases: a node that has ended meanwhile would be counted for ever. */
  async counts(): Promise<NodeCounts> {
    const isFresh = await this.#isFresh();
    if (!this.network.isAttached || !isFresh) throw unavailable(this.#failure);
    const nodes = this.#known();
    const sum = (count: keyof NodeCounts) => nodes.reduce((total, node) => total + node[count], 0);
    const [connections, subscriptions] = [sum('connections'), sum('subscriptions')];
    if (nodes.length === 1) return { connections, users: sum('users'), topics: sum('topics'), subscriptions };
    const { users, topics } = await this.#countChannels();
    return { connections, users, topics, subscriptions };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const self = this.#self;
    this.#self = undefined;
    // A refresh in flight must not restore the lease.
    await this.#reading;
    if (!self) return;
    await this.#run(self.id, '').catch(() => undefined);
    await this.#announce(false, true);
  }

  /** Announces that this node was attached or detached. */
  attached(isAttached: boolean): void {
    this.#isAttached = isAttached;
    if (this.#self) void this.#refreshAnew().then(() => this.#announce(isAttached, false));
  }

  /** Handles the announcement that another node was attached or detached, or that it closes. */
  heard(id: string, isAttached: boolean, isGone: boolean): void {
    const node = this.#others.get(id);
    if (isGone) this.#leases.end(id, performance.now());
    if (node === undefined) {
      // A new node: its lease has its counts.
      if (!isGone && id !== this.#self?.id && this.#self) void this.#refreshAnew();
      return;
    }
    const others = new Map(this.#others);
    if (isGone) others.delete(id);
    else others.set(id, { ...node, isAttached });
    this.#know(others);
  }

  /** Announces to the other nodes at once what they would read from this node's lease seconds later. */
  #announce(isAttached: boolean, isGone: boolean): Promise<void> {
    const frame = { kind: 'attachment', ...this.transport.next(), isAttached, isGone } as const;
    return this.transport.tell(this.channels.everybody, frame);
  }

  /** Reads the leases, unless they were read a moment ago. @returns false if that failed */
  async #isFresh(): Promise<boolean> {
    const before = this.#readAt;
    if (performance.now() - before <= FRESH_MS) return true;
    await this.#refresh();
    return this.#readAt > before;
  }

  #known(): readonly NodeInfo[] {
    const self = this.#selfInfo();
    return self ? [self, ...this.#others.values()] : [];
  }

  #selfInfo(): NodeInfo | undefined {
    if (!this.#self) return undefined;
    const { id, startedAt, counts } = this.#self;
    return { id, startedAt, isAttached: this.#isAttached, ...counts() };
  }

  /** Refreshes this node's lease, and reads the leases of the others. While Redis is away, the last known leases are kept. */
  #refresh(): Promise<void> {
    const self = this.#selfInfo();
    if (self === undefined) return Promise.resolve();
    const askedAt = performance.now();
    return (this.#reading ??= this.#run(self.id, encodeLease(self))
      .then((reply) => this.#read(reply, askedAt))
      .catch((error: unknown) => {
        this.#failure = error;
        this.#sight.fail();
        this.network.mistrust(this.#server, error);
      })
      .finally(() => (this.#reading = undefined)));
  }

  /** The same, but not with a request that is under way: it may have been answered before what has happened just now. */
  async #refreshAnew(): Promise<void> {
    await this.#reading;
    await this.#refresh();
  }

  /** The server that has the leases. */
  get #server(): RedisServer | undefined {
    return this.network.serverOfSlot(this.#slot);
  }

  #run(id: string, lease: string): Promise<unknown> {
    return leasesScript.run(this.#server, this.channels.leases, [`${this.settings.leaseTtlMs}`, id, lease]);
  }

  #read(reply: unknown, askedAt: number): void {
    this.#readAt = performance.now();
    this.ownLease.refreshed(askedAt, this.#readAt);
    const others = new Map<string, NodeInfo>();
    const remainingMs = new Map<string, number>();
    const [intactForMs, ...fields]: unknown[] = Array.isArray(reply) ? reply : [];
    for (let i = 0; i + 2 < fields.length; i += 3) {
      const node = decodeLease(fields[i], fields[i + 1], (ms) => new Date(ms));
      if (!node || node.id === this.#self?.id || this.#leases.hasEndedSince(node.id, askedAt)) continue;
      others.set(node.id, node);
      remainingMs.set(node.id, Number(fields[i + 2]));
    }
    this.#leases.read(remainingMs, askedAt, this.#readAt);
    this.#sight.read(this.#readAt, intactForMs === -1 ? Infinity : Number(intactForMs));
    this.#know(others);
  }

  #know(others: ReadonlyMap<string, NodeInfo>): void {
    this.#others = others;
    this.#liveOthers = [...others.keys()];
    this.#isEveryOtherAttached = [...others.values()].every(({ isAttached }) => isAttached);
  }

  async #countChannels(): Promise<{ readonly users: number; readonly topics: number }> {
    const now = performance.now();
    if (this.#counted && now - this.#counted.at < FRESH_MS) return this.#counted;
    const [users, topics] = await Promise.all([this.#countKind('user'), this.#countKind('topic')]);
    this.#counted = { at: now, users, topics };
    return this.#counted;
  }

  async #countKind(kind: 'user' | 'topic'): Promise<number> {
    const pattern = this.channels.pattern(kind);
    const counts = await Promise.all(
      this.network.all().map((server) => {
        const what = server.isSharded ? 'SHARDCHANNELS' : 'CHANNELS';
        return countScript.run(server, [], [what, pattern]);
      }),
    );
    return counts.reduce((total: number, count) => total + Number(count), 0);
  }
}
