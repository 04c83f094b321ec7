import { Injectable } from '@nestjs/common';
import type { GatewayLimits } from '../core/protocol/gateway-limits.js';
import { comparePatterns, matchTopic, type TopicPattern } from '../core/topic/topic-pattern.js';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import type { Handler } from './handler.js';

/** A handler of one message type. */
export interface MessageHandler {
  readonly handler: Handler;
  readonly requireSubscription: boolean;
}

/** A `@TopicGateway()` class and its handlers. */
export interface TopicHandlers {
  /** Name of the class. */
  readonly name: string;
  readonly pattern: TopicPattern;
  readonly options: TopicGatewayOptions;
  readonly onSubscribe?: Handler;
  readonly onUnsubscribe?: Handler;
  readonly onJoin?: Handler;
  readonly onLeave?: Handler;
  readonly onPresenceUpdate?: Handler;
  /** By message type. */
  readonly onMessage: ReadonlyMap<string, MessageHandler>;
}

/** The gateway of a topic. */
export interface TopicMatch {
  readonly gateway: TopicHandlers;
  /** The parameters of its pattern. */
  readonly params: Readonly<Record<string, string>>;
}

/** Most topics in the lookup cache. */
const MAX_FOUND = 1_000;

/** The topic gateways of the application, findable by topic. */
@Injectable()
export class TopicHandlerRegistry {
  /** Those whose pattern begins with a plain segment, and those that may match as well, by that segment. */
  #byHead: ReadonlyMap<string, readonly TopicHandlers[]> = new Map();
  /** Those whose pattern begins with a segment that has a parameter in it. */
  #anyHead: readonly TopicHandlers[] = [];
  /** The limits of all gateways that declare any. */
  limits: readonly GatewayLimits[] = [];
  /** A cache of recent lookups: a topic is looked up again with each of its messages. */
  readonly #found = new Map<string, TopicMatch>();

  /** Replaces all gateways. */
  fill(gateways: readonly TopicHandlers[]): void {
    this.#found.clear();
    this.limits = gateways.flatMap(({ options: { limits } }) => limits ?? []);
    const sorted = gateways.toSorted((a, b) => comparePatterns(a.pattern, b.pattern));
    const heads = new Set(sorted.map(headOf));
    this.#anyHead = sorted.filter((gateway) => headOf(gateway) === undefined);
    this.#byHead = new Map(
      [...heads].flatMap((head) =>
        head === undefined
          ? []
          : [[head, sorted.filter((gateway) => [head, undefined].includes(headOf(gateway)))] as const],
      ),
    );
  }

  get isEmpty(): boolean {
    return this.#byHead.size === 0 && this.#anyHead.length === 0;
  }

  /** The gateway whose pattern matches; of several, the one with the most literal characters. */
  find(topic: string): TopicMatch | undefined {
    const known = this.#found.get(topic);
    if (known !== undefined) return known;
    const match = this.#search(topic);
    if (match === undefined) return undefined;
    // Clients choose topic names, so the cache must be bounded.
    if (this.#found.size >= MAX_FOUND) this.#found.clear();
    this.#found.set(topic, match);
    return match;
  }

  #search(topic: string): TopicMatch | undefined {
    const colon = topic.indexOf(':');
    const head = colon < 0 ? topic : topic.slice(0, colon);
    for (const gateway of this.#byHead.get(head) ?? this.#anyHead) {
      const params = matchTopic(gateway.pattern, topic);
      if (params) return { gateway, params: Object.freeze(params) };
    }
    return undefined;
  }
}

/** The first segment of the pattern, if there is no parameter in it. */
function headOf({ pattern }: TopicHandlers): string | undefined {
  const [literals] = pattern.segments;
  return literals?.length === 1 ? literals[0] : undefined;
}
