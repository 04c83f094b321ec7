import { unavailable, type RedisClient } from './redis-connection.js';
import { RedisRefusals } from './redis-refusals.js';
import type { RedisScript } from './redis-script.js';
import type { RedisServer, RedisServerEvents } from './redis-server.js';

/** A call of a script on the keys of one partition. */
export interface ScriptCall {
  readonly partition: number;
  readonly keys: readonly string[];
  /**
   * Makes the arguments.
   * @param owner the server of the partition
   * @param isAhead true if another server executes the call, because the keys have gone ahead to it
   */
  readonly argsFor: (owner: RedisServer, isAhead: boolean) => readonly string[];
  /** Called each time that it is sent: at once, unless it has to wait, and again if it is redirected or the server has forgotten the script. */
  readonly sent?: () => void;
  /** True if the script refuses with `TRYAGAIN` while the partition is moving. Default: false. */
  readonly isWhole?: boolean;
}

/** The known servers, and the partitions that each one serves. */
export abstract class RedisNetwork {
  /** The commands that Redis has refused. */
  readonly refusals = new RedisRefusals();
  protected readonly servers = new Map<string, RedisServer>();
  protected events: RedisServerEvents = { restore: () => Promise.resolve(), changed: () => {}, moved: () => {} };

  /** True while all servers are reachable in both directions. */
  get isAttached(): boolean {
    for (const server of this.servers.values()) if (!server.isAttached) return false;
    return this.servers.size > 0;
  }

  /** All servers that serve at least one partition. */
  all(): readonly RedisServer[] {
    return [...this.servers.values()];
  }

  /** Connects. Settles with the first attempt; whatever its result, connections reconnect by themselves from then on. */
  open(events: RedisServerEvents): Promise<void> {
    this.events = { ...events, refused: (text) => this.refusals.note(text) };
    return this.connect();
  }

  protected abstract connect(): Promise<void>;

  /** The server of a partition, if it is known. */
  abstract serverOf(partition: number): RedisServer | undefined;

  /** The server of a Redis Cluster slot, if it is known. */
  abstract serverOfSlot(slot: number): RedisServer | undefined;

  /**
   * Runs a script where the keys of its partition are. Calls with the same first key are executed in the order in which they
   * were made.
   * @returns its reply; rejects with `UNAVAILABLE`, with the server's error as the cause
   */
  run(script: RedisScript, { partition, keys, argsFor, sent }: ScriptCall): Promise<unknown> {
    const server = this.serverOf(partition);
    if (server === undefined) return Promise.reject(unavailable());
    return script.run(server, keys, argsFor(server, false), false, sent);
  }

  /** Reads the slot map again, after a partition was found on another server. */
  refresh(): void {}

  /** Reads the slot map again at once: a server has said that it has lost a slot. */
  moved(): void {
    this.refresh();
  }

  /** Handles a refusal: if the server does not own the slot, refreshes the slot map; if it is a replica, disconnects from it. */
  mistrust(server: RedisServer | undefined, error: unknown): void {
    const { cause } = error as { cause?: unknown };
    if (!(cause instanceof Error) || !REFUSAL.test(cause.message)) return;
    this.refresh();
    if (!COPY.test(cause.message)) return;
    server?.commands.restart(cause.message);
    server?.subscriber.restart(cause.message);
  }

  /** Called every tick. @returns the servers that have just become overdue */
  tick(): readonly RedisServer[] {
    let overdue: RedisServer[] | undefined;
    for (const server of this.servers.values()) if (server.tick()) (overdue ??= []).push(server);
    return overdue ?? NONE;
  }

  close(): void {
    for (const server of this.servers.values()) server.close();
    this.servers.clear();
  }
}

/** The errors of a server that does not own a slot, or no longer. In Redis 6 a script's error follows its location. */
const REFUSAL = /^(MOVED|ASK|CLUSTERDOWN|READONLY|MASTERDOWN)|-READONLY /;
const COPY = /^(READONLY|MASTERDOWN)|-READONLY /;

const NONE: readonly RedisServer[] = [];

/** Sends a command over a server's connection. */
export function command(server: RedisServer | undefined, args: string[]): Promise<unknown> {
  if (server === undefined) return Promise.reject(unavailable());
  return server.commands.run((client: RedisClient) => client.sendCommand(args));
}
