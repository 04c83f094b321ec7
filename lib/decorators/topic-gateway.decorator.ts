import { Injectable, SetMetadata } from '@nestjs/common';
import type { RealtimeMessage } from '../core/message/message.js';
import { ENTRY_PROVIDER_WATERMARK, INJECTABLE_WATERMARK } from './nest-metadata.js';
import { TOPIC_GATEWAY_METADATA, type TopicGatewayMark } from './handler-metadata.js';
import { markCopy } from './package-copy.js';

/**
 * Options of a topic gateway. An unknown key stops the boot.
 * @publicApi
 */
export interface TopicGatewayOptions {
  /** Keeps a history of these topics, from which clients recover missed publications. Default: no history. */
  history?: TopicHistoryOptions;
  /** Tracks presence in these topics: users, joins and leaves. Default false. */
  presence?: boolean;
  /**
   * With `false`, only the server can read history and presence, not clients. Subscribers can still recover, from any offset
   * that they name. Default true.
   */
  clientAccess?: boolean;
  /** Limits for the messages of clients to these topics, such as cursors. Default: the limits of the module. */
  limits?: TopicLimitsOptions;
  /** How messages reach subscribers that cannot take them as fast as they come. Default: `{ slow: 'close' }`. */
  delivery?: TopicDeliveryOptions;
}

/**
 * The way in which messages to a topic reach subscribers that cannot take them as fast as they come.
 *
 * - `close`: every message is sent; a connection for which more than `limits.sendQueueBytes` wait is closed with 3008.
 * - `drop`: messages are left out once half of `limits.sendQueueBytes` waits, until the connection has caught up. Then the client
 *   gets `realtime:dropped` with `{ topic, count }`. Not for topics that keep a history.
 * - `latest`: a message replaces an earlier one with the same key that still waits. Each subscriber gets the first one at once and the
 *   last of each key always, in the order of the last change. With a history only where `sendLast` is 1, and without `key`.
 * @publicApi
 */
export type TopicDeliveryOptions =
  | {
      /** Every message is sent. */
      slow?: 'close';
    }
  | {
      /** What a subscriber cannot take is left out, and the client is told how much. */
      slow: 'drop';
    }
  | {
      /** The latest message of each key is sent. */
      slow: 'latest';
      /**
       * Maximum number of updates of a subscriber per second, each with the last message of every key that has changed: 0.1 to 1,000.
       * Default: as fast as the subscriber takes them.
       */
      maxRateHz?: number;
      /**
       * Returns the key of a message, of at most 255 characters, such as the id of the vehicle that has moved. It runs where the message
       * is published. Default: one key for each message type.
       */
      key?: (message: RealtimeMessage) => string;
    };

/**
 * Limits for the messages (`message` commands) of one connection to the topics of a gateway. `Infinity` turns a limit off.
 * @publicApi
 */
export interface TopicLimitsOptions {
  /**
   * Rate limit: sustained messages per second of a connection to all topics of the gateway. They do not count against
   * `limits.commandsPerSecond` of the module, but against `limits.totalCommandsPerSecond`. Default: the module's rate limit.
   */
  commandsPerSecond?: number;
  /** Rate limit: messages that may be sent in a burst after a silence. Default: five times `commandsPerSecond`, which it needs. */
  commandBurst?: number;
  /**
   * Maximum size of a message, in bytes of the command; above it the message is refused with `LIMIT_EXCEEDED`. At least 128.
   * Above the largest of all gateways the socket closes with 1009. Default: `limits.maxMessageBytes` of the module.
   */
  maxMessageBytes?: number;
}

/**
 * Options of a topic's history.
 * @publicApi
 */
export interface TopicHistoryOptions {
  /** Maximum number of publications kept per topic: 1 to 10,000. */
  size: number;
  /** Time for which they are kept after the last one, in milliseconds: 1,000 to 604,800,000 (a week). */
  ttlMs: number;
  /**
   * Maximum number of missed publications that a client recovers: 1 to `size`. They are sent page by page, as the client takes
   * them. A client that missed more is told `recovered: false`. Default: `size`.
   */
  recoverLimit?: number;
  /**
   * The number of latest publications that every new subscriber gets at once, behind the confirmation of its subscription: 0 to
   * `size`; 1 for topics that carry state rather than events. A plain client may ask for fewer. One that recovers gets what it
   * missed instead; if that is impossible, it gets the latest ones as well. Default 0.
   */
  sendLast?: number;
}

/** Names of all options. */
export const TOPIC_GATEWAY_OPTIONS: ReadonlySet<string> = new Set<keyof TopicGatewayOptions>([
  'history',
  'presence',
  'clientAccess',
  'limits',
  'delivery',
]);

/**
 * Makes a class the gateway of the topics that match a pattern. The class is a provider: list it in a module's `providers`.
 *
 * - `{name}` in the pattern matches one or more characters other than `:`. If two patterns match a topic, the one with more
 *   literal characters wins; two patterns that could tie stop the boot.
 * - Mark its methods with `@OnSubscribe()`, `@OnUnsubscribe()`, `@OnMessage()`, `@OnJoin()`, `@OnLeave()` and
 *   `@OnPresenceUpdate()`. They run through Nest's whole pipeline: guards, interceptors, pipes and filters, bound to the method, the class or globally.
 * - With a request-scoped dependency or enhancer, a new instance is created for every message and every hook call. `REQUEST`
 *   is then the `RealtimeContext`, which is also passed to a `ContextIdStrategy` of the application, so that durable
 *   providers work. A transient gateway stops the boot. A request-scoped `useFactory` provider cannot be a gateway, because
 *   its class is unknown before the factory runs.
 * - A subclass is a gateway with the same pattern, unless it is decorated itself.
 *
 * @param pattern such as `chat:{room}`
 * @publicApi
 */
export function TopicGateway(pattern: string, options: TopicGatewayOptions = {}): ClassDecorator {
  return (target) => {
    // An @Injectable({ scope }) beside this decorator keeps its scope, in either order.
    if (!Reflect.hasOwnMetadata(INJECTABLE_WATERMARK, target)) Injectable()(target);
    // Nest applies request-scoped and transient global enhancers to entry providers, as to controllers.
    Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, target);
    SetMetadata<symbol, TopicGatewayMark>(TOPIC_GATEWAY_METADATA, { pattern, options })(target);
    markCopy(target);
  };
}
