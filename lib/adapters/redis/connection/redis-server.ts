import { RedisConnection, TICK_MS, type RedisClient } from './redis-connection.js';
import type { RedisSettings } from './redis-options.js';
import { explainReplicaRisk } from './replica-risk.js';
import { infoField, leastUptimeMs } from './server-info.js';
import { SafeLogger } from '../../../errors/safe-logger.js';

const logger = new SafeLogger('RedisServer');

/** The time after which the replicas of a new connection's server are looked at again, in milliseconds: those of a promoted master follow it by then. */
const REPLICAS_MS = 5_000;

/** The events of a server. */
export interface RedisServerEvents {
  /** Subscribes a new subscribing connection to all of its joined channels; rejects if that fails. */
  restore(server: RedisServer): Promise<void>;
  /** Its connection for commands was made, and counts as up once this has settled; a rejection gives it up. */
  connected?(server: RedisServer): Promise<void>;
  /** The server was reached or lost, in one direction or both. */
  changed(server: RedisServer): void;
  /** A partition has moved to another server. */
  moved(): void;
  /** Redis can be reached, and has refused a command with this text. */
  refused?(text: string): void;
}

/**
 * The state of its subscribing connection. There must be one moment in the order of the server at which this node stops
 * delivering its own publications locally and begins to receive them: a probe marks it. Publications of this node before the
 * probe are delivered locally; publications after it come back. Publications of other nodes are accepted once the probe has
 * come back.
 */
type Hearing =
  /** No publication comes back. */
  | 'none'
  /** The probe was sent: publications from now on come back. */
  | 'probed'
  /** The probe has come back: arriving publications are accepted. */
  | 'open';

/** One Redis server: a connection for commands, and one for subscriptions. */
export class RedisServer {
  readonly commands: RedisConnection;
  readonly subscriber: RedisConnection;
  /** The partitions that it currently serves. */
  partitions: ReadonlySet<number> = new Set();
  #hearing: Hearing = 'none';
  /** The id of this run of the server; set once its connection for commands is up. */
  runId = '';
  #startedBy = Infinity;
  #detachedTicks = 0;
  /** The run of the server whose replicas were warned of. */
  #warnedRun = '';
  /** The ticks until its replicas are looked at again. */
  #replicaTicks = 0;

  /**
   * @param isSharded true in a Redis Cluster, where publications stay on the server that owns the channel's slot
   * @param create creates a client that is not connected yet
   */
  constructor(
    readonly address: string,
    readonly isSharded: boolean,
    create: () => RedisClient,
    private readonly settings: RedisSettings,
    events: RedisServerEvents,
  ) {
    const changed = () => events.changed(this);
    const refused = (text: string) => events.refused?.(text);
    const watched = () => {
      const client = create();
      client.on('sharded-channel-moved', () => events.moved());
      return client;
    };
    this.commands = new RedisConnection(`Redis ${address}, commands`, create, settings, {
      refused,
      setUp: async () => {
        const info: unknown = await this.commands.run((client) => client.sendCommand(['INFO', 'server']));
        this.#learn(info as string);
        this.#replicaTicks = Math.ceil(REPLICAS_MS / TICK_MS);
        void this.#checkReplicas();
        await events.connected?.(this);
      },
      changed: () => {
        // Publications in flight may still be published, and arrive after newer ones that were delivered locally: two
        // orders. So the subscribing connection is given up first.
        if (this.commands.isUp) this.subscriber.hurry();
        else this.subscriber.restart('the command connection was lost');
        changed();
      },
    });
    this.subscriber = new RedisConnection(`Redis ${address}, subscriptions`, watched, settings, {
      refused,
      setUp: () => {
        if (!this.commands.isUp) throw new Error('the command connection is not up yet');
        return events.restore(this);
      },
      changed: () => {
        if (!this.subscriber.isUp) this.#hearing = 'none';
        changed();
      },
    });
  }

  /** When this run of the server had started at the latest, in milliseconds of this process; `Infinity` until that is known. */
  get startedBy(): number {
    return this.#startedBy;
  }

  /** True while publications on this server arrive, and can be answered. */
  get isAttached(): boolean {
    return this.commands.isUp && this.subscriber.isUp;
  }

  /** True from the time it has been away for longer than any wait lasts, until it is back. */
  get isOverdue(): boolean {
    return !this.isAttached && this.#detachedTicks >= this.#patience;
  }

  /** True while no publication comes back. */
  get isDeaf(): boolean {
    return this.#hearing === 'none';
  }

  /** True once the probe has come back: arriving publications are accepted. */
  get isHearing(): boolean {
    return this.#hearing === 'open';
  }

  /** Records that the probe was sent over the new connection: publications from now on come back. */
  probeSent(): void {
    this.#hearing = 'probed';
  }

  /** Records that the probe has come back. */
  probeReturned(): void {
    this.#hearing = 'open';
  }

  /** Settles with the first attempt; whatever its result, the connections reconnect by themselves from then on. */
  async open(): Promise<void> {
    try {
      await this.commands.open();
    } finally {
      const opened = this.subscriber.open();
      if (this.commands.isUp) await opened;
      else opened.catch(() => undefined);
    }
  }

  /** Called every tick. @returns true if it has just become overdue */
  tick(): boolean {
    if (this.#replicaTicks > 0 && --this.#replicaTicks === 0) void this.#checkReplicas();
    const wasOverdue = this.isOverdue;
    const [isStalled, isStuck] = [this.commands.tick(), this.subscriber.tick()];
    if (isStalled || isStuck) this.#detachedTicks = this.#patience;
    else this.#detachedTicks = this.isAttached ? 0 : this.#detachedTicks + 1;
    return !wasOverdue && this.isOverdue;
  }

  /** Closes both connections for good. The order matters: the reverse would look like a lost connection for commands. */
  close(): void {
    this.subscriber.close();
    this.commands.close();
  }

  #learn(info: string): void {
    const runId = infoField(info, 'run_id');
    if (runId === undefined) throw new Error('The reply of Redis to INFO server has no run_id');
    const startedBy = performance.now() - leastUptimeMs(info);
    this.#startedBy = runId === this.runId ? Math.min(this.#startedBy, startedBy) : startedBy;
    this.runId = runId;
  }

  /** Warns once in each run of a master that writes without its replicas. A user of Redis without the right to ask is not told. */
  async #checkReplicas(): Promise<void> {
    const { runId } = this;
    if (this.#warnedRun === runId) return;
    try {
      const info: unknown = await this.commands.run((client) => client.sendCommand(['INFO', 'replication']));
      const risk = explainReplicaRisk(info as string);
      if (risk === undefined || this.#warnedRun === runId) return;
      this.#warnedRun = runId;
      logger.warn(`Redis ${this.address} ${risk}`);
    } catch {
      // The next connection is looked at again.
    }
  }

  get #patience(): number {
    return Math.ceil(this.settings.commandTimeoutMs / TICK_MS);
  }
}
