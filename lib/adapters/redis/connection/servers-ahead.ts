import { TICK_MS, type RedisClient } from './redis-connection.js';
import type { RedisSettings } from './redis-options.js';
import { RedisServer } from './redis-server.js';

/** The time without calls after which a connection is closed, in milliseconds. */
const IDLE_MS = 60_000;

interface Ahead {
  readonly server: RedisServer;
  readonly opened: Promise<void>;
  idleTicks: number;
}

/**
 * The servers of a Redis Cluster that own no slot with a partition yet, while keys move there: connections for commands, made when
 * another server redirects a call there.
 */
export class ServersAhead {
  readonly #servers = new Map<string, Ahead>();

  constructor(
    private readonly create: (address: string) => RedisClient,
    private readonly settings: RedisSettings,
  ) {}

  /** The server at an address, connected; rejects if it cannot be reached. */
  async reach(address: string): Promise<RedisServer> {
    const ahead = this.#servers.get(address) ?? this.#open(address);
    ahead.idleTicks = 0;
    if (!ahead.server.commands.isUp) await ahead.opened;
    return ahead.server;
  }

  /** Called every tick. */
  tick(): void {
    for (const [address, ahead] of this.#servers) {
      ahead.server.commands.tick();
      if (++ahead.idleTicks * TICK_MS < IDLE_MS + this.settings.commandTimeoutMs) continue;
      this.#servers.delete(address);
      ahead.server.close();
    }
  }

  close(): void {
    for (const { server } of this.#servers.values()) server.close();
    this.#servers.clear();
  }

  #open(address: string): Ahead {
    const events = { restore: () => Promise.resolve(), changed: ignore, moved: ignore };
    const server = new RedisServer(address, true, () => this.create(address), this.settings, events);
    const ahead = { server, opened: server.commands.open(), idleTicks: 0 };
    ahead.opened.catch(ignore);
    this.#servers.set(address, ahead);
    return ahead;
  }
}

function ignore(): void {}
