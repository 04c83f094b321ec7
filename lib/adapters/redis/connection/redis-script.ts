import { createHash } from 'node:crypto';
import { unavailable, type RedisClient } from './redis-connection.js';
import type { RedisServer } from './redis-server.js';

/** The calls of a script over one life of a connection. */
class ScriptCalls {
  #isKnown = false;
  /** The number of calls by digest that wait for their reply. */
  #inFlight = 0;
  /** Calls to make once all replies have arrived, in order: refused calls first. */
  readonly #refused: (() => void)[] = [];
  readonly #held: (() => void)[] = [];

  constructor(
    private readonly source: string,
    private readonly digest: string,
  ) {}

  /** @param send sends a command, given its name and the source or the digest */
  run(send: (name: string, script: string) => Promise<unknown>): Promise<unknown> {
    if (this.#refused.length > 0) return this.#later(this.#held, send);
    if (!this.#isKnown) {
      this.#isKnown = true;
      return send('EVAL', this.source);
    }
    this.#inFlight += 1;
    return send('EVALSHA', this.digest).then(
      (reply) => {
        this.#answered();
        return reply;
      },
      (error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) {
          this.#answered();
          throw error;
        }
        const again = this.#later(this.#refused, send);
        this.#answered();
        return again;
      },
    );
  }

  #later(queue: (() => void)[], send: (name: string, script: string) => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      queue.push(() => void this.run(send).then(resolve, reject));
    });
  }

  #answered(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0 || this.#refused.length === 0) return;
    this.#isKnown = false;
    const calls = [...this.#refused.splice(0), ...this.#held.splice(0)];
    for (const call of calls) call();
  }
}

/**
 * A Lua script. The first call over a connection sends the source, the others the digest. After the server's
 * script cache was flushed, calls wait until all calls in flight were answered, and are then made again in their order. The
 * order is lost in one case: if another node loads the script at that very moment, a call in flight behind a refused call is
 * executed before it.
 */
export class RedisScript {
  readonly #digest: string;
  readonly #calls = new WeakMap<RedisClient, ScriptCalls>();

  constructor(private readonly source: string) {
    this.#digest = createHash('sha1').update(source).digest('hex');
  }

  /**
   * Runs it atomically on a server. Calls on one server are executed in the order in which they were made.
   * @param isAhead true if the keys have gone ahead to the server, which does not own their slot yet
   * @param sent called each time that it is sent: once, unless the server has forgotten the script
   * @returns its reply; rejects with `UNAVAILABLE`, with the server's error as the cause
   */
  run(
    server: RedisServer | undefined,
    keys: readonly string[],
    args: readonly string[],
    isAhead = false,
    sent?: () => void,
  ): Promise<unknown> {
    if (server === undefined) return Promise.reject(unavailable());
    // A retry uses the same life of the connection: the arguments may be valid only for the server that it was made to.
    return server.commands.run((client) => {
      let calls = this.#calls.get(client);
      if (calls === undefined) this.#calls.set(client, (calls = new ScriptCalls(this.source, this.#digest)));
      return calls.run((name, script) => {
        sent?.();
        // It holds for the command right behind it. If it fails, so does that command.
        if (isAhead) client.sendCommand(['ASKING']).catch(() => undefined);
        return client.sendCommand([name, script, `${keys.length}`, ...keys, ...args]);
      });
    });
  }
}
