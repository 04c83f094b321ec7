import type { RedisClient } from './redis-connection.js';
import { RedisNetwork } from './redis-network.js';
import type { RedisSettings } from './redis-options.js';
import { RedisServer } from './redis-server.js';

/** A network of one server, which serves every partition. */
export class SingleNetwork extends RedisNetwork {
  #server: RedisServer | undefined;

  /** @param create creates a client that is not connected yet */
  constructor(
    private readonly create: () => RedisClient,
    private readonly settings: RedisSettings,
  ) {
    super();
  }

  serverOf(): RedisServer | undefined {
    return this.#server;
  }

  serverOfSlot(): RedisServer | undefined {
    return this.#server;
  }

  protected connect(): Promise<void> {
    const server = new RedisServer('server', false, this.create, this.settings, this.events);
    server.partitions = new Set([0]);
    this.#server = server;
    this.servers.set(server.address, server);
    return server.open();
  }
}
