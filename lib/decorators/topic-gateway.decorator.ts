import { Injectable, SetMetadata } from '@nestjs/common';
import { ENTRY_PROVIDER_WATERMARK, INJECTABLE_WATERMARK } from './nest-internals.js';
import { TOPIC_GATEWAY_METADATA, type TopicGatewayMark } from './handler-metadata.js';

/**
 * What a topic gateway may be told beside its pattern; an unknown key stops the boot.
 * @publicApi
 */
export interface TopicGatewayOptions {
  /** Keep what is published to these topics for a while, so that clients can catch up. Default: nothing is kept. */
  history?: TopicHistoryOptions;
  /** Know who is in these topics: members, joins and leaves. Default false. */
  presence?: boolean;
  /**
   * `false`: clients may not ask for the history or who is there, the server may. Subscribers may recover all the same, from
   * whichever offset they name. Default true.
   */
  clientAccess?: boolean;
}

/**
 * How much of the past of each topic is kept.
 * @publicApi
 */
export interface TopicHistoryOptions {
  /** Most publications that are kept of one topic: 1 to 10,000. */
  size: number;
  /** How long they are kept after the last one, in milliseconds: 1,000 to 604,800,000 (a week). */
  ttlMs: number;
  /** Send the last publication to every new subscriber at once: for states rather than events. Default false. */
  sendLatest?: boolean;
}

/** Names of the options there are. */
export const TOPIC_GATEWAY_OPTIONS: ReadonlySet<string> = new Set<keyof TopicGatewayOptions>([
  'history',
  'presence',
  'clientAccess',
]);

/**
 * Makes a class the gateway of the topics that match a pattern, and a provider: list it among a module's `providers`.
 *
 * - `{name}` in the pattern stands for one or more characters other than `:`. Of two patterns that match a topic the one
 *   with more literal characters gets it; two that could tie stop the boot.
 * - Its methods are marked with `@OnSubscribe()`, `@OnUnsubscribe()`, `@OnMessage()`, `@OnJoin()` and `@OnLeave()`. They run
 *   through Nest's whole pipeline: guards, interceptors, pipes and filters, bound to the method, the class or globally.
 * - With a request-scoped dependency (or enhancer) the gateway is made anew for every message and every hook call; the
 *   `REQUEST` is then the `RealtimeContext`, and a `ContextIdStrategy` of the application is asked with it, so durable
 *   providers work. A transient gateway stops the boot. A request-scoped `useFactory` provider cannot be found, since
 *   its class is not known before it runs.
 * - A subclass is a gateway too, with the same pattern, unless it is decorated itself.
 *
 * @param pattern such as `chat:{room}`
 * @publicApi
 */
export function TopicGateway(pattern: string, options: TopicGatewayOptions = {}): ClassDecorator {
  return (target) => {
    // An @Injectable({ scope }) beside this decorator keeps its scope, whichever of the two comes first.
    if (!Reflect.hasOwnMetadata(INJECTABLE_WATERMARK, target)) Injectable()(target);
    // What Nest calls an entry provider gets its request-scoped and transient global enhancers, as controllers do.
    Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, target);
    SetMetadata<symbol, TopicGatewayMark>(TOPIC_GATEWAY_METADATA, { pattern, options })(target);
  };
}
