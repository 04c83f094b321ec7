import { setTimeout as delay } from 'node:timers/promises';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { redirectionIn, type Redirection } from './redirection.js';
import { unavailable } from './redis-connection.js';
import type { RedisServer } from './redis-server.js';

/** The pause before a call is made again whose keys are on two servers, in milliseconds; it doubles up to the longest. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/** A call of a script on the keys of one slot. */
export interface SlotCall {
  /** Calls with the same text are executed in the order in which they were made. */
  readonly order: string;
  /** True if no server executes it while the slot is moving. */
  readonly isWhole: boolean;
  /**
   * Sends it.
   * @param server executes it
   * @param owner the server of the slot: another one while the keys have gone ahead to `server`
   */
  attempt(server: RedisServer, owner: RedisServer): Promise<unknown>;
}

/** The destination of the calls of a slot. */
export interface SlotRoute {
  /** The server of the slot, as far as is known. */
  owner(): RedisServer | undefined;
  /**
   * Finds the server that a redirection names, connected; rejects if it cannot be reached.
   * @param from the server that has redirected
   */
  follow(redirection: Exclude<Redirection, { readonly kind: 'again' }>, from: RedisServer): Promise<RedisServer>;
  /** A server has executed a call as the owner of the slot. */
  executed(server: RedisServer, call: SlotCall): void;
  /** A server has said that it owns the slot, but that keys have gone ahead. */
  deferred(server: RedisServer): void;
}

interface Waiting {
  readonly call: SlotCall;
  readonly since: number;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The calls of one slot of a Redis Cluster, which may be moving to another server. Calls are sent at once as long as their
 * server executes them. After a redirection, new calls wait until all calls in flight were answered. From then on, calls of the
 * same order are made one at a time, each until a server has executed it, so that no call overtakes another. One exception: of
 * the calls in flight at the moment when the slot begins to move, one with other keys may be executed before a refused one.
 */
export class SlotCalls {
  /** The server that calls are in flight to. */
  #server: RedisServer | undefined;
  #inFlight = 0;
  /** Calls to make once all replies have arrived, in order: redirected calls first. */
  #redirected: Waiting[] = [];
  #held: Waiting[] = [];
  /** Calls that are made one at a time, by their order. */
  readonly #lines = new Map<string, Waiting[]>();
  #waiting = 0;
  #barrier: Promise<void> | undefined;

  constructor(
    private readonly route: SlotRoute,
    private readonly limits: { readonly commandTimeoutMs: number; readonly maxPendingCommands: number },
  ) {}

  /** Makes a call. Rejects with `UNAVAILABLE` if no server has executed it within `commandTimeoutMs`. */
  run(call: SlotCall): Promise<unknown> {
    const server = this.route.owner();
    if (server === undefined) return Promise.reject(unavailable());
    const isFree = this.#waiting === 0 && this.#barrier === undefined;
    if (isFree && (this.#inFlight === 0 || this.#server === server)) return this.#send(server, call);
    return this.#wait(call, this.#held);
  }

  /** Lets no call begin before a promise has resolved, which must not reject. */
  holdUntil(settled: Promise<void>): void {
    const barrier = settled.finally(() => {
      if (this.#barrier !== barrier) return;
      this.#barrier = undefined;
      this.#form();
    });
    this.#barrier = barrier;
  }

  #send(server: RedisServer, call: SlotCall): Promise<unknown> {
    this.#server = server;
    this.#inFlight += 1;
    return call.attempt(server, server).then(
      (reply) => {
        this.route.executed(server, call);
        this.#answered();
        return reply;
      },
      (error: unknown) => {
        const again = this.#redirectionFrom(server, error) && this.#wait(call, this.#redirected);
        this.#answered();
        if (again) return again;
        throw error;
      },
    );
  }

  #wait(call: SlotCall, where: Waiting[]): Promise<unknown> {
    if (this.#waiting >= this.limits.maxPendingCommands) {
      return Promise.reject(new RealtimeError('UNAVAILABLE', 'Too many commands are waiting for Redis.'));
    }
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      where.push({ call, since: performance.now(), resolve, reject });
      if (where === this.#held) this.#form();
    });
  }

  #answered(): void {
    this.#inFlight -= 1;
    this.#form();
  }

  /** Lines up the calls that wait, once none is in flight any more. */
  #form(): void {
    if (this.#inFlight > 0 || this.#barrier !== undefined) return;
    const calls = [...this.#redirected.splice(0), ...this.#held.splice(0)];
    for (const waiting of calls) {
      const line = this.#lines.get(waiting.call.order);
      if (line) {
        line.push(waiting);
        continue;
      }
      const begun = [waiting];
      this.#lines.set(waiting.call.order, begun);
      void this.#work(waiting.call.order, begun);
    }
  }

  async #work(order: string, line: Waiting[]): Promise<void> {
    for (let next = line[0]; next !== undefined; next = line[0]) {
      await this.#complete(next);
      this.#waiting -= 1;
      line.shift();
    }
    this.#lines.delete(order);
  }

  async #complete({ call, since, resolve, reject }: Waiting): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      try {
        return resolve(await this.#once(call));
      } catch (error) {
        const isOver = performance.now() - since >= this.limits.commandTimeoutMs;
        if (isOver || redirectionIn(error) === undefined) return reject(error);
      }
      await delay(pauseMs);
    }
  }

  /** Makes a call, and follows one redirection. */
  async #once(call: SlotCall): Promise<unknown> {
    await this.#passable();
    const owner = this.route.owner();
    if (owner === undefined) throw unavailable();
    try {
      return await this.#executed(owner, call);
    } catch (error) {
      const redirection = this.#redirectionFrom(owner, error);
      if (redirection === undefined || redirection.kind === 'again') throw error;
      const server = await this.route.follow(redirection, owner);
      await this.#passable();
      return redirection.kind === 'ask' ? await call.attempt(server, owner) : await this.#executed(server, call);
    }
  }

  async #passable(): Promise<void> {
    while (this.#barrier !== undefined) await this.#barrier;
  }

  #redirectionFrom(owner: RedisServer, error: unknown): Redirection | undefined {
    const redirection = redirectionIn(error);
    if (redirection !== undefined && redirection.kind !== 'moved') this.route.deferred(owner);
    return redirection;
  }

  async #executed(server: RedisServer, call: SlotCall): Promise<unknown> {
    const reply = await call.attempt(server, server);
    this.route.executed(server, call);
    return reply;
  }
}
