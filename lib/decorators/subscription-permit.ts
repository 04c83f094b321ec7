/** Marks permits. All copies of the package share the symbol. */
export const PERMIT: unique symbol = Symbol.for('nestjs-realtime:permit') as never;

/**
 * The extras of a permitted subscription.
 * @publicApi
 */
export interface AllowOptions {
  /**
   * Describes the subscriber in a topic with presence, for example by a name: any JSON value of at most
   * `limits.maxPresenceInfoBytes`. Everybody who may read the topic's presence can see it.
   */
  readonly info?: unknown;
  /** A value for the client, in the answer to its subscribe command: any JSON value of at most 65,536 bytes. */
  readonly data?: unknown;
  /**
   * Maximum number of updates per second for this subscriber, in a topic with `delivery: { slow: 'latest' }`: 0.1 to 1,000. A number
   * above the topic's changes nothing; one below it is rounded down to one of 30 steps. For clients that cannot ask for less
   * themselves, such as SDKs. Default: the topic's.
   */
  readonly maxRateHz?: number | undefined;
}

/**
 * Permission to subscribe, made by `allow()`.
 * @publicApi
 */
export interface SubscriptionPermit extends AllowOptions {
  /** @internal */
  readonly [PERMIT]: true;
}

/**
 * Allows a subscription, as the result of `@OnSubscribe()`: `return allow({ data: { title: room.title } })`. The client gets `data` in
 * `realtime:subscribed`, an SDK in its `subscribed` event. An object that merely looks like this one allows nothing.
 *
 * If JSON would lose something of `info` or `data`, if one is too large, or if the topic cannot keep the rate, the subscription is refused
 * with `INTERNAL`, and the log says why.
 * When the topic is judged again after a change of rights, there is no answer, so `data` and `maxRateHz` are dropped.
 * @publicApi
 */
export function allow({ info, data, maxRateHz }: AllowOptions = {}): SubscriptionPermit {
  return { info, data, maxRateHz, [PERMIT]: true };
}

/** True for a permit, of whichever copy of the package. */
export function isPermit(value: unknown): value is SubscriptionPermit {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, PERMIT);
}
