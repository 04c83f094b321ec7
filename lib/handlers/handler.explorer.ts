import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { TopicPattern } from '../core/topic/topic-pattern.js';
import type { HandlerMark } from '../decorators/handler-metadata.js';
import type { TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { ConnectionHookRegistry } from './connection-hook.registry.js';
import { checkEnhancers } from './enhancer.rules.js';
import { refuseForeignMembers } from './foreign-member.rules.js';
import { HandlerFactory } from './handler.factory.js';
import type { Handler } from './handler.js';
import { readMarkedClass, type MarkedClass } from './marked-class.js';
import { checkMarks, refuseController } from './marked-class.rules.js';
import { refuseOtherCopy } from './other-copy.rules.js';
import { checkParameters } from './parameter.rules.js';
import { checkAmbiguity, compilePattern, type PatternOwner } from './pattern.rules.js';
import { TopicHandlerRegistry, type TopicHandlers } from './topic-handler.registry.js';
import { SafeLogger } from '../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeModule');

/** Finds the application's topic gateways and connection hooks, and fills the registries with them. */
@Injectable()
export class HandlerExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly factory: HandlerFactory,
    private readonly topics: TopicHandlerRegistry,
    private readonly hooks: ConnectionHookRegistry,
  ) {}

  /**
   * Looks at every provider; to be called once all of them exist and the global enhancers are set, from `onModuleInit`.
   * @throws RealtimeConfigurationError for the first handler that cannot work, with its `Class.method` and the cure
   */
  explore(): void {
    for (const controller of this.discovery.getControllers()) {
      const marked = readMarkedClass(controller, this.scanner);
      if (marked) refuseController(marked);
    }
    const classes = this.#markedProviders();
    for (const marked of classes) {
      refuseOtherCopy(marked);
      checkMarks(marked);
      refuseForeignMembers(marked);
    }
    const owners = classes.flatMap((marked): PatternOwner[] =>
      marked.gateway ? [{ ...marked, pattern: compilePattern(marked.classRef.name, marked.gateway.pattern) }] : [],
    );
    checkAmbiguity(owners);
    const gateways = owners.map((owner) => this.#gatewayOf(owner));
    this.topics.fill(gateways);
    gateways.forEach(announce);
    this.hooks.fill({
      onConnect: classes.flatMap((marked) => this.#handlersOf(marked, 'connect').map(({ handler }) => handler)),
      onDisconnect: classes.flatMap((marked) => this.#handlersOf(marked, 'disconnect').map(({ handler }) => handler)),
    });
  }

  /** Providers instantiated by Nest come first: Nest knows their enhancers, even if an alias or a factory returns the same instance. */
  #markedProviders(): MarkedClass[] {
    const providers = this.discovery.getProviders();
    const sorted = providers.toSorted((a, b) => Number(a.isNotMetatype) - Number(b.isNotMetatype));
    const seen = new Set<object>();
    return sorted.flatMap((provider) => {
      const marked = readMarkedClass(provider, this.scanner);
      const instance = marked?.provider.instance;
      if (!marked || (instance && seen.has(instance))) return [];
      if (instance) seen.add(instance);
      return [marked];
    });
  }

  #gatewayOf(owner: PatternOwner): TopicHandlers {
    const { classRef, gateway, pattern } = owner;
    const onSubscribe = this.#handlersOf(owner, 'subscribe', pattern)[0]?.handler;
    const onUnsubscribe = this.#handlersOf(owner, 'unsubscribe', pattern)[0]?.handler;
    const onJoin = this.#handlersOf(owner, 'join', pattern)[0]?.handler;
    const onLeave = this.#handlersOf(owner, 'leave', pattern)[0]?.handler;
    const onPresenceUpdate = this.#handlersOf(owner, 'update', pattern)[0]?.handler;
    const onMessage = this.#handlersOf(owner, 'message', pattern).map(({ mark, handler }) => {
      return [mark.type, { handler, requireSubscription: mark.requireSubscription }] as const;
    });
    return {
      name: classRef.name,
      pattern,
      options: withOwnLimits(gateway!.options),
      ...(onSubscribe && { onSubscribe }),
      ...(onUnsubscribe && { onUnsubscribe }),
      ...(onJoin && { onJoin }),
      ...(onLeave && { onLeave }),
      ...(onPresenceUpdate && { onPresenceUpdate }),
      onMessage: new Map(onMessage),
    };
  }

  #handlersOf<K extends HandlerMark['kind']>(
    marked: MarkedClass,
    kind: K,
    pattern?: TopicPattern,
  ): { mark: Extract<HandlerMark, { kind: K }>; handler: Handler }[] {
    return marked.methods.flatMap(({ method, name, mark }) => {
      if (mark.kind !== kind) return [];
      checkParameters(marked, { method, name, mark }, pattern);
      checkEnhancers(marked, { method, name, mark });
      const handler = this.factory.create(marked.provider, method, name);
      return [{ mark: mark as Extract<HandlerMark, { kind: K }>, handler }];
    });
  }
}

/** Clients have a bucket for each gateway, so gateways that were declared with the same object do not share their limits. */
function withOwnLimits(options: TopicGatewayOptions): TopicGatewayOptions {
  return options.limits ? { ...options, limits: { ...options.limits } } : options;
}

/** Logs the handlers, as Nest does for routes: a handler missing from the log was not provided. */
function announce({ name, pattern, onSubscribe, onMessage }: TopicHandlers): void {
  const messages = [...onMessage.keys()].map((type) => `"${type}"`).join(', ') || 'none';
  const subscribers = onSubscribe ? '' : ' (nobody may subscribe: it has no @OnSubscribe)';
  logger.log(`${name} {${pattern.source}}${subscribers}, messages: ${messages}`);
}
