import { KeyedBuckets } from '../base/keyed-buckets.js';
import { TokenBucket } from '../base/token-bucket.js';

/** Limits on the number of connections of a node, and on the rate at which it accepts them. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly acceptsPerSecond: number;
  readonly maxConnectionsPerUser: number;
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerIp: number;
  readonly refusedPerSecondPerIp: number;
}

/** The reason for refusing a connection attempt regardless of its token. */
export type AdmissionRefusal =
  /** The node holds `maxConnections` connections. */
  | 'node-full'
  /** The node has accepted as many clients with a valid token as it takes in a second. */
  | 'too-fast'
  /** Too many clients are waiting to be authenticated. */
  | 'too-many-unauthenticated'
  /** Too many of them are from this address. */
  | 'too-many-from-address'
  /** Too many of this address have been refused lately. */
  | 'too-many-refused'
  /** The user connects too often. */
  | 'too-often';

/** The kind of client: one that brings a token, or one that is to send it in its first command. */
export type Guest = 'token' | 'anonymous';

/** The outcome of an authentication. */
export type AdmissionOutcome =
  /** The token is valid. */
  | 'verified'
  /** The token is not valid, or the client left before the verification ended. */
  | 'refused'
  /** The token could not be verified, which is not the client's fault. */
  | 'unknown';

/** The answer to a request to connect. */
export type AdmissionVerdict =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly refusal: AdmissionRefusal; readonly retryAfterMs: number };

const ADMITTED: AdmissionVerdict = { admitted: true };

/** Suggested delay before a retry when a limit on numbers is reached, in milliseconds. */
const FULL_RETRY_MS = 5_000;

/** The burst of refusals of one address, in seconds of its rate. */
const BURST_S = 5;

/** A user may open twice as many connections as one may have at once, and then as many as one may have in this time, in seconds. */
const REOPEN_S = 5;

/** The maximum number of users, and of addresses, tracked for each kind of attempt; each takes about 200 bytes. */
const MAX_ADDRESSES = 10_000;

/**
 * Decides which clients may try to connect, and counts the unauthenticated ones, in total and by address.
 *
 * Clients of one address cannot use up the budget of another: an attempt takes from the bucket of its address and gives it
 * back unless it was refused. Only valid tokens take from the bucket of the node. Attempts with a token, attempts without
 * one, and requests refused before the token is read (wrong origin, no token) are counted separately, so that a web page or a
 * neighbour behind the same address cannot lock out clients that have a token. Unauthenticated clients never affect
 * authenticated connections. Changed in place by its one owner.
 */
export class AdmissionControl {
  readonly #accepts: TokenBucket;
  readonly #rooms = { token: new WaitingRoom(), anonymous: new WaitingRoom() };
  /** Valid tokens of each user: nobody can use up the budget of the node alone. */
  readonly #byUser: KeyedBuckets;
  readonly #attempts: Readonly<Record<Guest | 'unread', KeyedBuckets>>;

  constructor(
    private readonly limits: AdmissionLimits,
    now: number,
  ) {
    const { acceptsPerSecond, maxConnectionsPerUser: most, refusedPerSecondPerIp: perSecond } = limits;
    const perUser = { perSecond: acceptsPerSecond === Infinity ? Infinity : most / REOPEN_S, burst: 2 * most };
    this.#byUser = new KeyedBuckets(perUser, MAX_ADDRESSES, now);
    this.#accepts = new TokenBucket({ perSecond: acceptsPerSecond, burst: acceptsPerSecond }, now);
    const buckets = () => new KeyedBuckets({ perSecond, burst: perSecond * BURST_S }, MAX_ADDRESSES, now);
    this.#attempts = { token: buckets(), anonymous: buckets(), unread: buckets() };
  }

  /**
   * Counts a request that is refused before its token is read, for a reason that is cheap to find and no secret.
   * @returns 0 if the refusal may state the reason; else the milliseconds after which the address may ask again
   */
  turnAway(address: string, now: number): number {
    return this.#attempts.unread.take(address, now);
  }

  /**
   * Judges a request to connect. If it is admitted, its address counts as waiting until {@link settle}.
   * @param address as `networkOf` writes it
   * @param connections the number of connections that the node holds
   * @param now milliseconds
   * @param guest whether the request has a token; clients without one cannot take the places of clients with one
   */
  arrive(address: string, connections: number, now: number, guest: Guest = 'token'): AdmissionVerdict {
    const room = this.#rooms[guest];
    const { maxConnections, maxUnauthenticated, maxUnauthenticatedPerIp } = this.limits;
    if (connections >= maxConnections) return refused('node-full', FULL_RETRY_MS);
    // Only valid tokens empty this bucket. While it is empty, a valid token would be refused as well, so verifying one is a waste.
    const busyMs = this.#accepts.wait(now);
    if (busyMs > 0) return refused('too-fast', busyMs);
    if (room.from(address) >= maxUnauthenticatedPerIp) return refused('too-many-from-address', FULL_RETRY_MS);
    if (room.size >= maxUnauthenticated) return refused('too-many-unauthenticated', FULL_RETRY_MS);
    const waitMs = this.#attempts[guest].take(address, now);
    if (waitMs > 0) return refused('too-many-refused', waitMs);
    room.enter(address);
    return ADMITTED;
  }

  /**
   * Ends the wait of an admitted client. Call it once for each of them.
   * @param userId the user of a token that is valid
   * @returns whether a client with a valid token may connect now
   */
  settle(
    address: string,
    outcome: AdmissionOutcome,
    now: number,
    guest: Guest = 'token',
    userId?: string,
  ): AdmissionVerdict {
    this.#rooms[guest].leave(address);
    if (outcome === 'refused') return ADMITTED;
    this.#attempts[guest].putBack(address);
    if (outcome === 'unknown') return ADMITTED;
    const oftenMs = userId === undefined ? 0 : this.#byUser.take(userId, now);
    if (oftenMs > 0) return refused('too-often', oftenMs);
    const waitMs = this.#accepts.take(now);
    return waitMs > 0 ? refused('too-fast', waitMs) : ADMITTED;
  }

  /** The number of clients that are waiting to be authenticated. */
  get waiting(): number {
    return this.#rooms.token.size + this.#rooms.anonymous.size;
  }
}

/** Counts waiting clients by IP address. */
class WaitingRoom {
  readonly #byAddress = new Map<string, number>();
  size = 0;

  from(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  enter(address: string): void {
    this.#byAddress.set(address, this.from(address) + 1);
    this.size += 1;
  }

  leave(address: string): void {
    const count = this.from(address);
    if (count <= 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count - 1);
    this.size -= 1;
  }
}

function refused(refusal: AdmissionRefusal, retryAfterMs: number): AdmissionVerdict {
  return { admitted: false, refusal, retryAfterMs };
}
