import { createHash } from 'node:crypto';
import { unavailable } from './redis-connection.js';
import type { RedisServer } from './redis-server.js';

/**
 * A Lua script. It is called by its digest; a server that does not know it, because it was restarted or told to forget,
 * gets the source. What was sent behind such a call may overtake it.
 */
export class RedisScript {
  readonly #digest: string;

  constructor(private readonly source: string) {
    this.#digest = createHash('sha1').update(source).digest('hex');
  }

  /**
   * Runs it on a server, in one step.
   * @returns its reply; rejects with `UNAVAILABLE`, and with what the server says as the cause
   */
  run(server: RedisServer | undefined, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (server === undefined) return Promise.reject(unavailable());
    // Both calls go to the same life of the connection: arguments may hold only for the server that it was made to.
    return server.commands.run((client) => {
      const call = (name: string, script: string): Promise<unknown> =>
        client.sendCommand([name, script, `${keys.length}`, ...keys, ...args]);
      return call('EVALSHA', this.#digest).catch((error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return call('EVAL', this.source);
      });
    });
  }
}
