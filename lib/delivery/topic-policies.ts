import type { Retention } from '../core/history/history.js';
import type { RealtimeMessage } from '../core/message/message.js';
import type { SlowPolicy } from '../core/pace/delivery-options.js';
import type { GatewayLimits } from '../core/protocol/gateway-limits.js';

/** The options that the application has declared for a topic. */
export interface TopicPolicy {
  /** The history that the topic keeps; missing when it keeps none. */
  readonly history?: TopicHistoryPolicy;
  /** True: members are tracked, and joins and leaves are announced. Default false. */
  readonly presence?: boolean;
  /** False: clients may read neither the history nor the members. Default true. */
  readonly clientAccess?: boolean;
  /** Limits for the messages of clients; one object for each gateway. */
  readonly limits?: GatewayLimits;
  /** What happens to messages that a subscriber cannot take. Default: it is closed. */
  readonly delivery?: TopicDeliveryPolicy;
}

/** What happens to messages that a subscriber of a topic cannot take. */
export interface TopicDeliveryPolicy {
  readonly slow?: SlowPolicy;
  /** Maximum number of updates of a subscriber per second. */
  readonly maxRateHz?: number;
  /** Returns the key of a message, whose earlier value it replaces. Default: one for each type. */
  readonly key?: (message: RealtimeMessage) => string;
}

/** The history that a topic keeps. */
export interface TopicHistoryPolicy extends Retention {
  /** Maximum number of missed publications that a client recovers. Default: `size`. */
  readonly recoverLimit?: number;
  /** The number of latest publications that a new subscriber gets. Default 0. */
  readonly sendLast?: number;
}

/** Looks up the policy of a topic. Every lookup of a topic's options goes through this class. */
export abstract class TopicPolicies {
  /** True when the application has a `@TopicGateway()` at all. */
  abstract readonly hasGateways: boolean;

  /** The limits of all gateways that declare any. Missing: no gateway does. */
  readonly limits?: readonly GatewayLimits[];

  /** @returns the policy of the topic, or nothing when no gateway serves the topic */
  abstract of(topic: string): TopicPolicy | undefined;
}
