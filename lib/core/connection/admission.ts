import { TokenBucket } from '../base/token-bucket.js';

/** How many connections a node takes, and how fast. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly acceptsPerSecond: number;
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerIp: number;
}

/** Why a request to connect is turned away before anything is looked at. */
export type AdmissionRefusal =
  /** The node holds as many connections as it may. */
  | 'node-full'
  /** More requests than the node wants to take in a second. */
  | 'too-fast'
  /** Too many are waiting to be authenticated. */
  | 'too-many-unauthenticated'
  /** Too many of them are from this address. */
  | 'too-many-from-address';

/** Who asks: somebody with a token, or somebody whose token is to come as the first command. */
export type Guest = 'token' | 'anonymous';

/** The answer to a request to connect. */
export type AdmissionVerdict =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly refusal: AdmissionRefusal; readonly retryAfterMs: number };

const ADMITTED: AdmissionVerdict = { admitted: true };

/** How long those wait who come when something is full, in milliseconds. */
const FULL_RETRY_MS = 5_000;

/**
 * Counts who is waiting to be authenticated, in all and by address, and decides who may join them. Connections that are
 * authenticated are never touched by those who are not. Changed in place by its one owner.
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
   * Somebody asks to connect. When admitted, the address is counted as waiting until {@link settle}.
   * @param connections how many connections the node holds
   * @param now milliseconds
   * @param guest whether a token came along; those without cannot take the places of those with one
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

  /** One that was admitted is authenticated, refused or gone. To be called once for each. */
  settle(address: string, guest: Guest = 'token'): void {
    this.#rooms[guest].leave(address);
  }

  /** How many are waiting to be authenticated. */
  get waiting(): number {
    return this.#rooms.token.size + this.#rooms.anonymous.size;
  }
}

/** Who is waiting, counted by address. */
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
