import { RedisConnection, TICK_MS, type RedisClient } from './redis-connection.js';
import type { RedisSettings } from './redis-options.js';

/** What a server tells. */
export interface RedisServerEvents {
  /** Its subscribing connection was made: subscribes to whatever is wanted of it, and rejects when that fails. */
  restore(server: RedisServer): Promise<void>;
  /** Reached or lost, in one direction or both. */
  changed(server: RedisServer): void;
  /** Something of ours lives elsewhere by now. */
  moved(): void;
  /** Redis can be reached, and has refused a command with this text. */
  refused?(text: string): void;
}

/**
 * How far its subscribing connection is. There must be one moment in the order of the server at which this node stops
 * serving itself and begins to hear: a probe marks it. What this node publishes before the probe, it serves itself, and
 * what it publishes after it comes back; what others publish is heard from the time the probe has come back.
 */
type Hearing =
  /** Nothing comes back. */
  | 'none'
  /** The probe was sent: what is published from now on comes back. */
  | 'probed'
  /** The probe has come back: what comes now is taken. */
  | 'open';

/** One Redis server: a connection for commands, and one for what is published. */
export class RedisServer {
  readonly commands: RedisConnection;
  readonly subscriber: RedisConnection;
  /** The partitions that it has at the moment. */
  partitions: ReadonlySet<number> = new Set();
  #hearing: Hearing = 'none';
  /** Names this run of the server, from when its connection for commands is up. */
  runId = '';
  #awayTicks = 0;

  /**
   * @param isSharded true in a Redis Cluster, where publications stay on the server that has the channel
   * @param create makes a client that is not connected yet
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
        this.runId = runIdIn(info as string);
      },
      changed: () => {
        // What was on its way may be published yet, and heard behind what is served here instead: two orders. So what
        // would bring it is given up first.
        if (this.commands.isUp) this.subscriber.hurry();
        else this.subscriber.restart('the connection for commands was lost');
        changed();
      },
    });
    this.subscriber = new RedisConnection(`Redis ${address}, subscriptions`, watched, settings, {
      refused,
      setUp: () => {
        if (!this.commands.isUp) throw new Error('the connection for commands is not there yet');
        return events.restore(this);
      },
      changed: () => {
        if (!this.subscriber.isUp) this.#hearing = 'none';
        changed();
      },
    });
  }

  /** True while what is published here arrives, and can be answered. */
  get isAttached(): boolean {
    return this.commands.isUp && this.subscriber.isUp;
  }

  /** True when it has been away for longer than anybody waits, until it is there again. */
  get isOverdue(): boolean {
    return !this.isAttached && this.#awayTicks >= this.#patience;
  }

  /** True while nothing that is published comes back. */
  get isDeaf(): boolean {
    return this.#hearing === 'none';
  }

  /** True from when the probe has come back: what arrives now is taken. */
  get isHearing(): boolean {
    return this.#hearing === 'open';
  }

  /** The probe was sent over the new connection: what is published from now on comes back. */
  probeSent(): void {
    this.#hearing = 'probed';
  }

  /** The probe has come back. */
  probeReturned(): void {
    this.#hearing = 'open';
  }

  /** Settles with the first attempt; however it ends, the connections are kept up from then on. */
  async open(): Promise<void> {
    try {
      await this.commands.open();
    } finally {
      const opened = this.subscriber.open();
      if (this.commands.isUp) await opened;
      else opened.catch(() => undefined);
    }
  }

  /** Called every tick. @returns true when it has just become overdue */
  tick(): boolean {
    const wasOverdue = this.isOverdue;
    const [isStalled, isStuck] = [this.commands.tick(), this.subscriber.tick()];
    if (isStalled || isStuck) this.#awayTicks = this.#patience;
    else this.#awayTicks = this.isAttached ? 0 : this.#awayTicks + 1;
    return !wasOverdue && this.isOverdue;
  }

  /** Ends both for good; the other way round the one for commands would seem to be lost. */
  close(): void {
    this.subscriber.close();
    this.commands.close();
  }

  get #patience(): number {
    return Math.ceil(this.settings.commandTimeoutMs / TICK_MS);
  }
}

function runIdIn(info: string): string {
  const [, runId] = /^run_id:(\w+)/m.exec(info) ?? [];
  if (runId === undefined) throw new Error('Redis does not say its run_id: INFO server has none');
  return runId;
}
