import { TokenBucket } from '../base/token-bucket.js';

/** Limits on the number of connections of a node, and on the rate at which it accepts them. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly acceptsPerSecond: number;
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerIp: number;
}

/** The reason for refusing an upgrade request before its content is examined. */
export type AdmissionRefusal =
  /** The node holds `maxConnections` connections. */
  | 'node-full'
  /** The rate of requests exceeds `acceptsPerSecond`. */
  | 'too-fast'
  /** Too many clients are waiting to be authenticated. */
  | 'too-many-unauthenticated'
  /** Too many of those clients share this IP address. */
  | 'too-many-from-address';

/** The kind of client: one that brings a token, or one that is to send it in its first command. */
export type Guest = 'token' | 'anonymous';

/** The decision on an upgrade request. */
export type AdmissionVerdict =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly refusal: AdmissionRefusal; readonly retryAfterMs: number };

const ADMITTED: AdmissionVerdict = { admitted: true };

/** Suggested delay before a retry when a limit on numbers is reached, in milliseconds. */
const FULL_RETRY_MS = 5_000;

/**
 * Counts the clients that are waiting to be authenticated, in total and per IP address, and decides whether another one
 * is admitted. Unauthenticated clients never affect authenticated connections. Mutable; one owner changes it.
 */
export class AdmissionControl {
  readonly #accepts: TokenBucket;
  readonly #rooms = { token: new WaitingRoom(), anonymous: new WaitingRoom() };

  constructor(
    private readonly limits: AdmissionLimits,
    now: number,
  ) {
    const { acceptsPerSecond } = limits;
    this.#accepts = new TokenBucket({ perSecond: acceptsPerSecond, burst: acceptsPerSecond }, now);
  }

  /**
   * Decides on an upgrade request. An admitted address counts as waiting until {@link settle}.
   * @param connections number of connections that the node holds
   * @param now milliseconds
   * @param guest whether the request has a token; clients without one cannot take the places of clients with one
   */
  arrive(address: string, connections: number, now: number, guest: Guest = 'token'): AdmissionVerdict {
    const room = this.#rooms[guest];
    const { maxConnections, maxUnauthenticated, maxUnauthenticatedPerIp } = this.limits;
    if (connections >= maxConnections) return refused('node-full', FULL_RETRY_MS);
    if (room.size >= maxUnauthenticated) return refused('too-many-unauthenticated', FULL_RETRY_MS);
    if (room.from(address) >= maxUnauthenticatedPerIp) {
      return refused('too-many-from-address', FULL_RETRY_MS);
    }
    const waitMs = this.#accepts.take(now);
    if (waitMs > 0) return refused('too-fast', waitMs);
    room.enter(address);
    return ADMITTED;
  }

  /** Ends the wait of an admitted client that was authenticated, refused or disconnected. Call it once per client. */
  settle(address: string, guest: Guest = 'token'): void {
    this.#rooms[guest].leave(address);
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
