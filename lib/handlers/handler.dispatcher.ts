import { Injectable } from '@nestjs/common';
import type { MessageCommand } from '../core/protocol/command.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import type { WireError } from '../core/protocol/error-code.js';
import type { PresenceChange } from '../core/presence/presence.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { ConnectionHookRegistry } from './connection-hook.registry.js';
import { HandlerCall } from './handler-call.js';
import { HandlerRun } from './handler-run.js';
import { HandlerContext } from '../decorators/realtime-context.js';
import type { MessageRun, ReplySink } from './reply-sink.js';
import { NeutralContext } from './neutral-context.js';
import { PresenceInfoLimit } from './presence-info-limit.js';
import { decideSubscribe, refusalOf, type SubscribeDecision } from './subscribe-decision.js';
import { TopicHandlerRegistry, type TopicHandlers } from './topic-handler.registry.js';
import { NO_TOPIC, NOT_SUBSCRIBED } from './topic-refusals.js';

/** The close of a connection. */
export interface ConnectionClose {
  readonly code: number;
  readonly reason: string;
}

/** Calls the application's handlers, in the {@link NeutralContext}. Authorization and ordering of commands were decided before. */
@Injectable()
export class HandlerDispatcher {
  constructor(
    private readonly topics: TopicHandlerRegistry,
    private readonly hooks: ConnectionHookRegistry,
    private readonly neutral: NeutralContext,
    private readonly infoLimit: PresenceInfoLimit,
  ) {}

  /**
   * Runs `@OnSubscribe()`; without one, or without a gateway for the topic, the subscription is denied. Never rejects.
   * @param event `reauthorize` if the connection is already subscribed, and its right to stay is rechecked
   * @param hasToken true if the client has a token for this topic, which suffices where there is no `@OnSubscribe()`
   */
  async subscribe(
    connection: RealtimeConnection,
    topic: string,
    payload: unknown,
    event: 'subscribe' | 'reauthorize' = 'subscribe',
    hasToken = false,
  ): Promise<SubscribeDecision> {
    const at = { action: 'subscribe', topic };
    const match = this.topics.find(topic);
    if (!match) return { allowed: false, error: { ...NO_TOPIC, ...at } };
    const { gateway, params } = match;
    if (!gateway.onSubscribe)
      return hasToken ? { allowed: true } : { allowed: false, error: { ...CLOSED_TOPIC, ...at } };
    const context = new HandlerContext(event, connection, topic, gateway.pattern.source, params);
    const call = new HandlerCall(gateway.onSubscribe, [connection, payload, context, 'subscribe']);
    let result: unknown;
    try {
      result = await this.neutral.run(() => call.result());
    } catch (thrown) {
      // Even if a filter replaced the exception with a value: a throw never allows the subscription.
      const { exception, error } = await this.neutral.run(() => call.rescue(thrown));
      return { allowed: false, error: refusalOf(exception, error) };
    }
    try {
      return decideSubscribe(result, topic, this.infoLimit.maxBytes, gateway.options.delivery);
    } catch (thrown) {
      const why = thrown instanceof RangeError ? TOO_LARGE : thrown instanceof TypeError ? UNSERIALISABLE : UNKEPT;
      return { allowed: false, error: call.unusable(why, thrown) };
    }
  }

  /** Runs `@OnUnsubscribe()`. Never rejects. */
  async unsubscribed(connection: RealtimeConnection, topic: string): Promise<void> {
    const match = this.topics.find(topic);
    if (!match?.gateway.onUnsubscribe) return;
    const { gateway, params } = match;
    const context = new HandlerContext('unsubscribe', connection, topic, gateway.pattern.source, params);
    const call = new HandlerCall(match.gateway.onUnsubscribe, [connection, undefined, context, 'unsubscribe']);
    await this.neutral.run(() => settle(call));
  }

  /**
   * Runs `@OnJoin()`, `@OnLeave()` or `@OnPresenceUpdate()`. Never rejects.
   * @returns nothing if the topic has no such method
   */
  presenceChanged(topic: string, change: PresenceChange): Promise<void> | undefined {
    const match = this.topics.find(topic);
    if (!match) return undefined;
    const [event, handler] = hookFor(match.gateway, change.kind);
    if (!handler) return undefined;
    const context = new HandlerContext(event, undefined, topic, match.gateway.pattern.source, match.params);
    return this.neutral.run(() => settle(new HandlerCall(handler, [undefined, change, context, event])));
  }

  /**
   * Calls the `@OnConnect()` methods one after another.
   * @returns nothing if there are none
   * @throws RealtimeError for the first that fails, safe to send to the client; a filter may translate it, but not undo it
   */
  connected(connection: RealtimeConnection): Promise<void> | undefined {
    return this.hooks.onConnect.length === 0 ? undefined : this.#connected(connection);
  }

  async #connected(connection: RealtimeConnection): Promise<void> {
    for (const hook of this.hooks.onConnect) {
      const call = new HandlerCall(hook, [connection, undefined, new HandlerContext('connect', connection), 'connect']);
      try {
        await this.neutral.run(() => call.result());
      } catch (thrown) {
        const { error, exception } = await this.neutral.run(() => call.rescue(thrown));
        throw exception instanceof RealtimeError
          ? exception
          : new RealtimeError(error.code, error.message, { details: error.details, cause: exception });
      }
    }
  }

  /** Calls the `@OnDisconnect()` methods sequentially, each even if an earlier one failed. Never rejects. */
  async disconnected(connection: RealtimeConnection, close: ConnectionClose): Promise<void> {
    for (const hook of this.hooks.onDisconnect) {
      const context = new HandlerContext('disconnect', connection);
      const call = new HandlerCall(hook, [connection, close, context, 'disconnect']);
      await this.neutral.run(() => settle(call));
    }
  }

  /**
   * Passes a message to its `@OnMessage()` method. A refusal (no such topic, no such type, not subscribed) goes to the sink
   * before this returns; every other result goes to it later.
   */
  message(connection: RealtimeConnection, command: MessageCommand, isSubscribed: boolean, sink: ReplySink): MessageRun {
    const { topic, type, payload } = command;
    const match = this.topics.find(topic);
    const found = match?.gateway.onMessage.get(type);
    if (!match || !found || (found.requireSubscription && !isSubscribed)) {
      const refusal = !match ? NO_TOPIC : !found ? NO_HANDLER : NOT_SUBSCRIBED;
      sink.error({ ...refusal, action: 'message', topic });
      return REFUSED;
    }
    const { gateway, params } = match;
    const context = new HandlerContext('message', connection, topic, gateway.pattern.source, params, type);
    const call = new HandlerCall(found.handler, [connection, payload, context, type]);
    return this.neutral.run(() => new HandlerRun(call, sink, this.neutral));
  }
}

const REFUSED: MessageRun = { endsWithTopic: false, released: undefined, cancel: () => undefined };

const TOO_LARGE = 'a value that is too large';
const UNKEPT = 'a rate that cannot be kept';
const UNSERIALISABLE = 'a value that cannot be serialised as JSON';

const CLOSED_TOPIC: WireError = { code: 'FORBIDDEN', message: 'This topic accepts no subscriptions.' };
const NO_HANDLER: WireError = { code: 'NO_HANDLER', message: 'The topic takes no messages of this type.' };

function hookFor({ onJoin, onLeave, onPresenceUpdate }: TopicHandlers, kind: PresenceChange['kind']) {
  switch (kind) {
    case 'joined':
      return ['join', onJoin] as const;
    case 'left':
      return ['leave', onLeave] as const;
    case 'updated':
      return ['update', onPresenceUpdate] as const;
  }
}

async function settle(call: HandlerCall): Promise<void> {
  try {
    await call.result();
  } catch (thrown) {
    await call.report(thrown);
  }
}
