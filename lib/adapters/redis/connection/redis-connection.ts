import type { RedisClientType } from '@redis/client';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { redirectionOf } from './redirection.js';
import { refusalIn, refusalKindIn } from './redis-refusals.js';
import { WarnOnChange } from './warn-on-change.js';
import { SafeLogger } from '../../../errors/safe-logger.js';

/** A Redis client with any modules and scripts. */
export type RedisClient = Pick<
  RedisClientType,
  'connect' | 'destroy' | 'sendCommand' | 'subscribe' | 'unsubscribe' | 'sSubscribe' | 'sUnsubscribe'
> & { on(event: string, listener: (...args: never[]) => void): unknown };

/** The events for the owner of a connection. */
export interface RedisConnectionEvents {
  /** Called for each new connection, which counts as up once this has settled; a rejection gives the connection up. */
  setUp(): void | Promise<void>;
  /** The connection has come up, or gone down. */
  changed(): void;
  /** Redis can be reached, and has refused a command with this text. */
  refused?(text: string): void;
}

/** The upper bound of the first random pause before a reconnect, in milliseconds; it doubles with each attempt. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** The uptime of a connection after which the reconnect pauses are reset, in milliseconds. */
const STEADY_MS = 1_000;

/** The interval of {@link RedisConnection.tick}, in milliseconds. */
export const TICK_MS = 50;

const logger = new SafeLogger('RedisConnection');

/**
 * One connection to one server that reconnects after a loss. The client never reconnects by itself: each life of the
 * connection has its own client, so a command given to one client is never sent by another.
 */
export class RedisConnection {
  #client: RedisClient | undefined;
  /** The client whose first connection is being made. */
  #connecting: RedisClient | undefined;
  #isUp = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #upSince = 0;
  #ticks = 0;
  readonly #warnings: WarnOnChange;
  /** The start tick of each command that waits for its reply, oldest first. */
  readonly #pending = new Set<{ readonly since: number }>();

  /**
   * @param name its name in logs
   * @param create creates a client that is not connected yet
   */
  constructor(
    private readonly name: string,
    private readonly create: () => RedisClient,
    private readonly limits: { readonly commandTimeoutMs: number; readonly maxPendingCommands: number },
    private readonly events: RedisConnectionEvents,
  ) {
    this.#warnings = new WarnOnChange(logger, `${name}: not connected`);
  }

  /** True while commands are accepted and {@link RedisConnectionEvents.setUp} has completed. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Settles with the first attempt. Whatever its result, the connection reconnects by itself from then on. */
  open(): Promise<void> {
    return this.#connect();
  }

  /** Closes the connection for good. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Ends a reconnect pause: reconnects now, if it is waiting. */
  hurry(): void {
    if (this.#retry === undefined || this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect().catch(() => undefined);
  }

  /** Gives up this life of the connection and begins the next one. */
  restart(why: string): void {
    if (this.#client === undefined || this.#isClosed) return;
    logger.warn(`${this.name}: ${why}; reconnecting`);
    this.#lose();
  }

  /** Connects anew without a pause, whatever it is doing: its server has another address now. */
  redirect(why: string): void {
    this.#attempts = 0;
    this.#connecting?.destroy();
    if (this.#retry !== undefined) this.hurry();
    else this.restart(why);
  }

  /** Runs a command. Rejects with `UNAVAILABLE` when there is no connection, or when it is lost before the reply arrives. */
  run<T>(use: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === undefined) return Promise.reject(unavailable());
    if (this.#pending.size >= this.limits.maxPendingCommands) {
      return Promise.reject(new RealtimeError('UNAVAILABLE', 'Too many commands are waiting for Redis.'));
    }
    const entry = { since: this.#ticks };
    this.#pending.add(entry);
    return use(client).then(
      (value) => {
        this.#pending.delete(entry);
        return value;
      },
      (cause: unknown) => {
        this.#pending.delete(entry);
        const refusal = refusalIn(cause);
        if (refusal !== undefined && redirectionOf(refusal) === undefined) this.events.refused?.(refusal);
        throw unavailable(cause);
      },
    );
  }

  /**
   * Called every {@link TICK_MS}. Timeouts are counted in ticks, so a stall of this process does not count as silence of Redis.
   * @returns true if the connection was given up because Redis does not answer
   */
  tick(): boolean {
    this.#ticks += 1;
    const [oldest] = this.#pending;
    if (oldest === undefined || (this.#ticks - oldest.since) * TICK_MS < this.limits.commandTimeoutMs) return false;
    this.restart(`no answer for ${this.limits.commandTimeoutMs} ms`);
    return true;
  }

  async #connect(): Promise<void> {
    const client = this.create();
    this.#client = undefined;
    this.#connecting = client;
    client.on('error', (error: Error) => this.#failed(client, error));
    client.on('end', () => this.#failed(client, new Error('the connection was closed')));
    const deadline = setTimeout(() => client.destroy(), this.limits.commandTimeoutMs);
    try {
      await client.connect().finally(() => (this.#connecting = undefined));
      clearTimeout(deadline);
      if (this.#isClosed) throw new Error('closed');
      this.#client = client;
      this.#upSince = performance.now();
      await this.events.setUp();
      if (this.#client !== client) throw new Error('lost while it was being set up');
      this.#isUp = true;
      this.#warnings.settle();
      this.events.changed();
    } catch (error) {
      clearTimeout(deadline);
      if (!this.#isClosed) this.#warnings.say((error as Error).message);
      if (this.#client === client) this.#drop();
      else client.destroy();
      this.#again();
      throw unavailable(error);
    }
  }

  #failed(client: RedisClient, error: Error): void {
    if (this.#client !== client) return;
    logger.warn(`${this.name}: lost: ${error.message}`);
    this.#lose();
  }

  #lose(): void {
    const wasUp = this.#isUp;
    if (performance.now() - this.#upSince >= STEADY_MS) this.#attempts = 0;
    this.#drop();
    // During the setup, the code that runs the setup retries.
    if (wasUp) this.#again();
  }

  #drop(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    this.#isUp = false;
    client.destroy();
    this.events.changed();
  }

  #again(): void {
    if (this.#isClosed) return;
    const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    clearTimeout(this.#retry);
    // Full jitter: nodes that lost a server together must not reconnect at the same time.
    this.#retry = setTimeout(() => this.hurry(), Math.random() * longestMs);
  }
}

/**
 * The error for callers while Redis cannot be reached, or refuses a command. Its message reaches clients of handlers that do not
 * catch it, so it names only the kind of a refusal: Redis's own text, which may name users and keys, stands in `cause` and the log.
 */
export function unavailable(cause?: unknown): RealtimeError {
  if (cause instanceof RealtimeError) return cause;
  const kind = refusalKindIn(cause);
  const message =
    kind === undefined ? 'Redis cannot be reached at the moment.' : `Redis refuses this at the moment (${kind}).`;
  return new RealtimeError('UNAVAILABLE', message, { cause });
}
