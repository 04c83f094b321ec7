import { unavailable, type RedisClient } from './redis-connection.js';
import { RedisRefusals } from './redis-refusals.js';
import type { RedisServer, RedisServerEvents } from './redis-server.js';

/** The servers that there are, and which of them has what. */
export abstract class RedisNetwork {
  /** What Redis has refused. */
  readonly refusals = new RedisRefusals();
  protected readonly servers = new Map<string, RedisServer>();
  protected events: RedisServerEvents = { restore: () => Promise.resolve(), changed: () => {}, moved: () => {} };

  /** True while all servers are reached, both ways. */
  get isAttached(): boolean {
    for (const server of this.servers.values()) if (!server.isAttached) return false;
    return this.servers.size > 0;
  }

  /** All servers that have something of ours. */
  all(): readonly RedisServer[] {
    return [...this.servers.values()];
  }

  /** Connects. Settles with the first attempt; however it ends, connections are kept up from then on. */
  open(events: RedisServerEvents): Promise<void> {
    this.events = { ...events, refused: (text) => this.refusals.note(text) };
    return this.connect();
  }

  protected abstract connect(): Promise<void>;

  /** The server that has a partition, when it is known. */
  abstract serverOf(partition: number): RedisServer | undefined;

  /** The server that has a slot of a Redis Cluster, when it is known. */
  abstract serverOfSlot(slot: number): RedisServer | undefined;

  /** Something of ours was found to be elsewhere: looks again which server has what. */
  refresh(): void {}

  /** A server has refused something: when it is not the one that has it, looks for that one, and leaves a mere copy of it. */
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

/** What a server answers that has not got something, or not any more. A script's error stands behind its place in Redis 6. */
const REFUSAL = /^(MOVED|ASK|CLUSTERDOWN|READONLY|MASTERDOWN)|-READONLY /;
const COPY = /^(READONLY|MASTERDOWN)|-READONLY /;

const NONE: readonly RedisServer[] = [];

/** Sends a command over a server's connection. */
export function command(server: RedisServer | undefined, args: string[]): Promise<unknown> {
  if (server === undefined) return Promise.reject(unavailable());
  return server.commands.run((client: RedisClient) => client.sendCommand(args));
}
