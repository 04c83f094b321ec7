import { TokenBucket, type Rate } from '../base/token-bucket.js';
import { AnswerPace, type AnswerRate } from './answer-pace.js';
import { CommandAllowance, type CommandRate } from './command-allowance.js';
import { gatewayRateOf, type GatewayLimits } from './gateway-limits.js';
import { refusalCostOf } from './refusal-rate.js';

/** The rate limits of one connection. */
export interface ClientRate extends CommandRate {
  /** The rate of the messages to all gateways with a rate of their own, together. */
  readonly total: Rate;
  /** The rate of the histories, presence and missed publications that are sent to it, by size. */
  readonly answers: AnswerRate;
  /** The rate of its WebSocket pings. */
  readonly pings: Rate;
  /** The rate at which its commands are refused because they exceed another rate. */
  readonly refusals: Rate;
}

/**
 * The rate limits of one connection at work: an allowance for its commands, and a bucket apart for the messages to each gateway
 * with a rate of its own. Each of those messages also takes from one common bucket, so that many gateways do not add up. Memory
 * is bounded by the number of gateways. Large answers, WebSocket pings and refusals count apart. Mutable; one owner changes it.
 */
export class ClientAllowance {
  readonly #own: CommandAllowance;
  #gateways: Map<GatewayLimits, TokenBucket> | undefined;
  /** Made with the first message to a gateway with a rate. */
  #total: TokenBucket | undefined;
  /** Made with the first answer that counts. */
  #answers: AnswerPace | undefined;
  /** Made with the first ping. */
  #pings: TokenBucket | undefined;
  /** Made with the first refusal. */
  #refusals: TokenBucket | undefined;

  constructor(
    private readonly rate: ClientRate,
    now: number,
  ) {
    this.#own = new CommandAllowance(rate, now);
  }

  /**
   * Takes tokens, if one is available.
   * @param now milliseconds, from any clock
   * @param opens true for a command that may draw on the opening burst
   * @param gateway the limits of the gateway that a message is for, one object for each gateway; nothing for other commands
   * @param cost the number of tokens. One has to be available, the others may be owed
   * @returns 0 if they were taken, else the milliseconds until one is available
   */
  take(now: number, opens = false, gateway?: GatewayLimits, cost = 1): number {
    const bucket = gateway && this.#bucketOf(gateway, now);
    if (bucket === undefined) return this.#own.take(now, opens, cost);
    const total = (this.#total ??= new TokenBucket(this.rate.total, now));
    const waitMs = Math.max(bucket.wait(now), total.wait(now));
    if (waitMs > 0) return waitMs;
    bucket.take(now, cost);
    return total.take(now, cost);
  }

  /** Counts an answer that was sent. @param length in characters */
  answered(length: number, now: number): void {
    (this.#answers ??= new AnswerPace(this.rate.answers, now)).spend(length, now);
  }

  /** Returns the milliseconds until the answers are within their rate; 0 if they are. */
  answerWait(now: number): number {
    return this.#answers?.wait(now) ?? 0;
  }

  /** Takes a token for a WebSocket ping. @returns 0 if there was one */
  ping(now: number): number {
    return (this.#pings ??= new TokenBucket(this.rate.pings, now)).take(now);
  }

  /** Counts a command that was refused. @param cost as of {@link take} */
  refused(now: number, cost = 1): void {
    (this.#refusals ??= new TokenBucket(this.rate.refusals, now)).take(now, refusalCostOf(cost));
  }

  /** True if a further command may be refused; else it has to wait. */
  mayRefuse(now: number): boolean {
    return this.#refusals === undefined || this.#refusals.wait(now) === 0;
  }

  /** Returns the milliseconds until there is a token for such a command; 0 if there is one. Takes none. */
  wait(now: number, gateway?: GatewayLimits): number {
    const bucket = gateway && this.#gateways?.get(gateway);
    return bucket ? Math.max(bucket.wait(now), this.#total!.wait(now)) : this.#own.wait(now);
  }

  /** Returns the rate that holds such a command back, or would be the first to. */
  rateOf(now: number, gateway?: GatewayLimits): Rate {
    const bucket = gateway && this.#gateways?.get(gateway);
    if (bucket === undefined) return this.rate;
    return this.#total!.wait(now) > bucket.wait(now) ? this.#total!.rate : bucket.rate;
  }

  /** Returns the number of commands missing from what can be saved up, over all rates; 0 when nothing more can be saved up. */
  spent(now: number): number {
    let spent = this.#own.spent(now);
    for (const each of this.#apart) spent += each?.spent(now) ?? 0;
    for (const bucket of this.#gateways?.values() ?? []) spent += bucket.spent(now);
    return spent;
  }

  /** The time that an empty allowance takes to fill, in milliseconds. */
  get fillMs(): number {
    let longest = this.#own.fillMs;
    for (const each of this.#apart) longest = Math.max(longest, each?.fillMs ?? 0);
    for (const bucket of this.#gateways?.values() ?? []) longest = Math.max(longest, bucket.fillMs);
    return longest;
  }

  /** The buckets in use beside those for commands. */
  get #apart(): readonly (TokenBucket | AnswerPace | undefined)[] {
    return [this.#total, this.#answers, this.#pings, this.#refusals];
  }

  /** Returns the bucket of a gateway that has a rate of its own. */
  #bucketOf(gateway: GatewayLimits, now: number): TokenBucket | undefined {
    const known = this.#gateways?.get(gateway);
    if (known) return known;
    const rate = gatewayRateOf(gateway);
    if (rate === undefined) return undefined;
    const bucket = new TokenBucket(rate, now);
    (this.#gateways ??= new Map()).set(gateway, bucket);
    return bucket;
  }
}
