import { Injectable, SetMetadata } from '@nestjs/common';
import { ENTRY_PROVIDER_WATERMARK, INJECTABLE_WATERMARK } from './nest-internals.js';
import { TOPIC_GATEWAY_METADATA, type TopicGatewayMark } from './handler-metadata.js';

/**
 * What a topic gateway may be told beside its pattern. There is nothing yet; an unknown key stops the boot.
 * @publicApi
 */
// An interface, so that options can be added without a new name.
// oxlint-disable-next-line typescript/no-empty-object-type
export interface TopicGatewayOptions {}

/** Names of the options there are. */
export const TOPIC_GATEWAY_OPTIONS: ReadonlySet<string> = new Set<keyof TopicGatewayOptions>([]);

/**
 * Makes a class the gateway of the topics that match a pattern, and a provider: list it among a module's `providers`.
 *
 * - `{name}` in the pattern stands for one or more characters other than `:`. Of two patterns that match a topic the one
 *   with more literal characters gets it; two that could tie stop the boot.
 * - Its methods are marked with `@OnSubscribe()`, `@OnUnsubscribe()` and `@OnMessage()`. They run through Nest's whole
 *   pipeline: guards, interceptors, pipes and filters, bound to the method, the class or globally.
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
