import type { RedisClientType } from '@redis/client';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { refusalIn } from './redis-refusals.js';
import { WarnOnChange } from './warn-on-change.js';
import { SafeLogger } from '../../../errors/safe-logger.js';

/** Any client, whatever is plugged into it. */
export type RedisClient = Pick<
  RedisClientType,
  'connect' | 'destroy' | 'sendCommand' | 'subscribe' | 'unsubscribe' | 'sSubscribe' | 'sUnsubscribe'
> & { on(event: string, listener: (...args: never[]) => void): unknown };

/** What its owner is told. */
export interface RedisConnectionEvents {
  /** A connection has been made. Until this has settled it does not count as up; when it rejects, it is given up. */
  setUp(): void | Promise<void>;
  /** It has come up, or gone down. */
  changed(): void;
  /** Redis can be reached, and has refused a command with this text. */
  refused?(text: string): void;
}

/** The pause before a lost connection is made again: at random up to this, doubled each time, in milliseconds. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** How long a connection must have been up, in milliseconds, for the pauses to be short again. */
const STEADY_MS = 1_000;

/** How long a tick of {@link RedisConnection.tick} takes, in milliseconds. */
export const TICK_MS = 50;

const logger = new SafeLogger('RedisConnection');

/**
 * One connection to one server that is kept up. The client never reconnects by itself: each life of the connection is a
 * client of its own, so nothing that was asked of one is ever sent by another.
 */
export class RedisConnection {
  #client: RedisClient | undefined;
  #isUp = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #upSince = 0;
  #ticks = 0;
  readonly #warnings: WarnOnChange;
  /** When each command that waits for its answer was given, oldest first. */
  readonly #pending = new Set<{ readonly since: number }>();

  /**
   * @param name what logs call it
   * @param create makes a client that is not connected yet
   */
  constructor(
    private readonly name: string,
    private readonly create: () => RedisClient,
    private readonly limits: { readonly commandTimeoutMs: number; readonly maxPendingCommands: number },
    private readonly events: RedisConnectionEvents,
  ) {
    this.#warnings = new WarnOnChange(logger, `${name}: not connected`);
  }

  /** True while commands are taken, and what {@link RedisConnectionEvents.setUp} does is done. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Settles with the first attempt. However it ends, the connection is kept up from then on. */
  open(): Promise<void> {
    return this.#connect();
  }

  /** Ends it for good. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** What it waited for to connect again is there: does so now, if it is waiting. */
  hurry(): void {
    if (this.#retry === undefined || this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect().catch(() => undefined);
  }

  /** Gives this life of the connection up and begins the next. */
  restart(why: string): void {
    if (this.#client === undefined || this.#isClosed) return;
    logger.warn(`${this.name}: ${why}; connecting anew`);
    this.#lose();
  }

  /** Rejects with `UNAVAILABLE` when there is no connection, or when it is lost before the answer is here. */
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
        if (refusal !== undefined) this.events.refused?.(refusal);
        throw unavailable(cause);
      },
    );
  }

  /**
   * Called every {@link TICK_MS}. Counting ticks instead of time, a halt of this process is no silence of Redis.
   * @returns true when the connection was given up because Redis does not answer
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
    client.on('error', (error: Error) => this.#failed(client, error));
    client.on('end', () => this.#failed(client, new Error('the connection was ended')));
    const deadline = setTimeout(() => client.destroy(), this.limits.commandTimeoutMs);
    try {
      await client.connect();
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
    // While it is being set up, whoever sets it up tries again.
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
    // Full jitter: nodes that lost a server together must not come back together.
    this.#retry = setTimeout(() => this.hurry(), Math.random() * longestMs);
  }
}

/** What callers are told while Redis cannot be reached, or refuses what they want. */
export function unavailable(cause?: unknown): RealtimeError {
  if (cause instanceof RealtimeError) return cause;
  const refusal = refusalIn(cause);
  const message = refusal === undefined ? 'Redis cannot be reached at the moment.' : `Redis refuses: ${refusal}`;
  return new RealtimeError('UNAVAILABLE', message, { cause });
}
