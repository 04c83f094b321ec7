import { createHash } from 'node:crypto';
import { command } from './redis-network.js';
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
   * @returns its reply; rejects with `UNAVAILABLE` as {@link command} does
   */
  run(server: RedisServer | undefined, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const call = (name: string, script: string): Promise<unknown> =>
      command(server, [name, script, `${keys.length}`, ...keys, ...args]);
    return call('EVALSHA', this.#digest).catch((error: unknown) => {
      if (!isUnknown(error)) throw error;
      return call('EVAL', this.source);
    });
  }
}

function isUnknown(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT');
}
