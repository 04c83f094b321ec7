import type { SubscribeCommand } from '../../core/protocol/command.js';
import { haveSameRights } from '../../core/connection/connection.js';
import { ERROR_CODES } from '../../core/protocol/error-code.js';
import type { StreamPosition } from '../../core/history/history.js';
import { TopicGrants } from '../../core/topic/topic-grants.js';
import type { ConnectionEvents } from '../../delivery/connection-events.js';
import type { Membership } from '../../delivery/membership.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { FramedStreamStart } from '../../delivery/topic-stream.js';
import type { HandlerDispatcher } from '../../handlers/handler.dispatcher.js';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { TopicTokens } from '../auth/topic-tokens.js';
import type { Client } from './client.js';
import { fitting } from './fitting-start.js';
import type { HookOrder } from './hook-order.js';
import type { RunningMessages } from './running-messages.js';
import { streamSettingsOf } from './stream-settings.js';
import type { TopicPresence } from './topic-presence.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits' | 'clockToleranceS'>;
  readonly membership: Pick<Membership, 'enter' | 'unsubscribe'>;
  readonly pubSub: Pick<PubSubManager, 'isSubscribed' | 'topicsOf'>;
  readonly dispatcher: Pick<HandlerDispatcher, 'subscribe' | 'unsubscribed'>;
  readonly presence: Pick<TopicPresence, 'entered' | 'left' | 'refusalOf'>;
  readonly events: Pick<ConnectionEvents, 'emit'>;
  readonly policies: TopicPolicies;
  readonly topicTokens: Pick<TopicTokens, 'judge'>;
}

/** The subscriptions of one client: their authorization, their start and their end. */
export class TopicSubscriptions {
  /** Topics that the server has subscribed the client to, without asking a handler. */
  #chosenByServer: Set<string> | undefined;
  /** The topics among them that the client has subscribed to as well. */
  #chosenByBoth: Set<string> | undefined;
  /** Created with the first topic that needs a token. */
  #grants: TopicGrants | undefined;
  /**
   * The payload of the last accepted subscribe of each topic that had one, by which the topic is judged again. It is kept as JSON,
   * because pipes and handlers may change the object that they are given.
   */
  #payloads: Map<string, string> | undefined;

  /** @param messages whose streams end with each topic that is left */
  constructor(
    private readonly client: Client,
    private readonly services: Services,
    private readonly hooks: Pick<HookOrder, 'left'>,
    private readonly messages: Pick<RunningMessages, 'endStreams'>,
  ) {}

  /** Leaves the topics that a handler denies to the current roles and permissions. It does not queue behind commands. */
  async reauthorize(): Promise<void> {
    const { pubSub, dispatcher, presence } = this.services;
    const { connection } = this.client;
    for (const topic of pubSub.topicsOf(connection.id)) {
      if (this.#chosenByServer?.has(topic)) continue;
      const payload = this.#payloadOf(topic);
      const decision = await dispatcher.subscribe(connection, topic, payload, 'reauthorize', this.#hasToken(topic));
      if (!pubSub.isSubscribed(connection.id, topic)) continue;
      if (decision.allowed) {
        presence.entered(topic, connection, decision.info);
        continue;
      }
      const left = this.leave(topic);
      const { code, message: reason } = decision.error;
      const { retryable } = ERROR_CODES[code];
      this.client.replies.push({ kind: 'unsubscribed', topic, reason, ...(retryable && { retryable }) });
      await left;
    }
  }

  /** @returns false when there is nothing to do, else a promise for whether the subscription has become active */
  subscribeByServer(topic: string): boolean | Promise<boolean> {
    const { pubSub } = this.services;
    const { id } = this.client.connection;
    if (this.client.isClosed || pubSub.isSubscribed(id, topic)) return false;
    (this.#chosenByServer ??= new Set()).add(topic);
    return this.#enter(topic, undefined).then(() => pubSub.isSubscribed(id, topic));
  }

  /** True when the subscription is the server's alone, so that the client cannot begin it again. */
  isChosenByServer(topic: string): boolean {
    return (this.#chosenByServer?.has(topic) ?? false) && !this.#chosenByBoth?.has(topic);
  }

  unsubscribeByServer(topic: string, reason: string): boolean {
    if (!this.leave(topic)) return false;
    this.client.replies.push({ kind: 'unsubscribed', topic, reason });
    return true;
  }

  /** Leaves the topics whose tokens have expired. */
  expire(now: number): void {
    if (this.#grants === undefined) return;
    for (const topic of this.#grants.expired(now, this.services.settings.clockToleranceS)) {
      this.#grants.delete(topic);
      if (!this.leave(topic)) continue;
      this.client.replies.push({
        kind: 'unsubscribed',
        topic,
        reason: 'the token for the topic expired',
        expired: true,
      });
    }
  }

  /** Carries out a `subscribe` command. The promise does not reject. */
  async subscribe(command: SubscribeCommand): Promise<void> {
    const { pubSub, dispatcher, settings, presence } = this.services;
    const { topic, id, payload } = command;
    const kept = payload === undefined ? undefined : JSON.stringify(payload);
    let { connection } = this.client;
    if (command.renews) return this.#renewToken(command);
    const refusal = command.presence ? presence.refusalOf(topic) : undefined;
    if (refusal) return this.client.replies.fail({ ...refusal, action: 'subscribe', topic }, id);
    if (pubSub.isSubscribed(connection.id, topic)) {
      // The command has a new payload: the handler decides again, and a denial leaves the subscription as it was.
      const again = payload === undefined ? undefined : await this.#judgeAgain(command);
      if (again === null || this.client.isClosed) return;
      if (this.isChosenByServer(topic)) (this.#chosenByBoth ??= new Set()).add(topic);
      this.#keepPayload(topic, kept);
      return this.#enter(topic, command, again);
    }
    const { maxTopicsPerConnection } = settings.limits;
    if (pubSub.topicsOf(connection.id).size >= maxTopicsPerConnection) {
      const message = `A connection may subscribe to at most ${maxTopicsPerConnection} topics.`;
      return this.client.replies.refuse({ code: 'LIMIT_EXCEEDED', message, action: 'subscribe', topic }, id);
    }
    const hasToken = command.token !== undefined;
    if (!hasToken) this.#grants?.delete(topic);
    else if (!(await this.#takeToken(command))) return;
    let decision = await dispatcher.subscribe(connection, topic, payload, 'subscribe', hasToken);
    // A token that was renewed meanwhile may change the decision.
    while (decision.allowed && !this.client.isClosed && !haveSameRights(connection, this.client.connection)) {
      connection = this.client.connection;
      decision = await dispatcher.subscribe(connection, topic, payload, 'reauthorize', hasToken);
      if (!decision.allowed) await dispatcher.unsubscribed(connection, topic);
    }
    if (!decision.allowed) {
      this.#grants?.delete(topic);
      if (!this.client.isClosed) this.client.replies.fail(decision.error, id);
    } else if (this.client.isClosed) {
      // The application has seen the client enter, and must see it leave, even if it was gone before it could enter.
      await dispatcher.unsubscribed(connection, topic);
    } else {
      this.#keepPayload(topic, kept);
      await this.#enter(topic, command, decision.info);
    }
  }

  /** @param payload as JSON; without one, the payload of an earlier subscribe remains */
  #keepPayload(topic: string, payload: string | undefined): void {
    if (payload !== undefined) (this.#payloads ??= new Map()).set(topic, payload);
  }

  #payloadOf(topic: string): unknown {
    const kept = this.#payloads?.get(topic);
    return kept === undefined ? undefined : JSON.parse(kept);
  }

  /** @returns the subscriber's new info; `null` if the handler denied it and the client received the error, or the client is gone */
  async #judgeAgain({ topic, id, payload }: SubscribeCommand): Promise<unknown> {
    const { dispatcher, pubSub } = this.services;
    const { connection } = this.client;
    const decision = await dispatcher.subscribe(connection, topic, payload, 'subscribe', this.#hasToken(topic));
    if (this.client.isClosed) return null;
    if (decision.allowed && pubSub.isSubscribed(connection.id, topic)) return decision.info;
    const ended = { code: 'FORBIDDEN', message: ENDED, action: 'subscribe', topic } as const;
    this.client.replies.fail(decision.allowed ? ended : decision.error, id);
    return null;
  }

  /** Replaces the token of a subscription. */
  async #renewToken(command: SubscribeCommand): Promise<void> {
    const { topic, id } = command;
    if (this.services.pubSub.isSubscribed(this.client.connection.id, topic)) {
      if (await this.#takeToken(command)) this.#confirm(topic, command);
      return;
    }
    const message = 'There is no subscription to renew.';
    this.client.replies.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, id);
  }

  /** @returns false if the token was refused and the client received the error, or if the client is gone */
  async #takeToken({ topic, id, token = '' }: SubscribeCommand): Promise<boolean> {
    const { connection, address } = this.client;
    const grant = await this.services.topicTokens.judge(token, topic, connection.userId, address);
    if (this.client.isClosed) return false;
    if (!grant.ok) this.client.replies.fail(grant.error, id);
    else (this.#grants ??= new TopicGrants()).set(topic, grant.expiresAt);
    return grant.ok;
  }

  #hasToken(topic: string): boolean {
    return this.#grants?.endOf(topic) !== undefined;
  }

  /** Enters the topic, and confirms the subscription: to a command with an id, or unasked when there was no command. */
  async #enter(topic: string, command: SubscribeCommand | undefined, info?: unknown): Promise<void> {
    const { membership, events, pubSub, presence, policies, settings } = this.services;
    const { connection } = this.client;
    const isNew = !pubSub.isSubscribed(connection.id, topic);
    const stream = streamSettingsOf(topic, policies, settings.limits);
    const announce = () => {
      if (isNew) events.emit({ type: 'subscribed', connection, topic });
      presence.entered(topic, connection, info, command?.presence);
    };
    const onStart = (start: FramedStreamStart | undefined) => {
      this.#confirmStart(topic, command, start);
      // A stream is still delivering its start: listeners that publish to it have to wait.
      if (stream === undefined) announce();
    };
    let isIn: boolean;
    try {
      const entered = membership.enter(connection.id, topic, { stream, recover: command?.recover, onStart });
      isIn = typeof entered === 'boolean' ? entered : await entered;
    } catch {
      void this.leave(topic);
      const message = 'The topic cannot be reached at the moment; try again.';
      return this.client.replies.fail({ code: 'UNAVAILABLE', message, action: 'subscribe', topic }, command?.id);
    }
    if (this.client.isClosed) return;
    if (!isIn || (stream && !pubSub.isSubscribed(connection.id, topic))) {
      // The server has ended the subscription meanwhile and told the client so, even if another one has begun since. The
      // command still needs its answer.
      const message = ENDED;
      if (command) this.client.replies.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, command.id);
      return;
    }
    if (stream) announce();
  }

  /** Confirms where the topic begins for this client, and sends the publications that it has missed. */
  #confirmStart(topic: string, command: SubscribeCommand | undefined, start: FramedStreamStart | undefined): void {
    if (start === undefined) return this.#confirm(topic, command);
    const { frames, ...place } = fitting(start, this.services.settings.limits);
    this.#confirm(topic, command, place);
    this.client.replies.sendAll(frames);
  }

  /** Confirms a subscription: to a command with an id or a position, or unasked when there was no command. */
  #confirm(
    topic: string,
    command: SubscribeCommand | undefined,
    stream: Pick<FramedStreamStart, 'recovered'> & { position?: StreamPosition } = {},
  ): void {
    if (command && command.id === undefined && !command.recover) return;
    const { id } = command ?? {};
    const expiresAt = this.#grants?.endOf(topic);
    this.client.replies.push({
      kind: 'subscribed',
      ...(id !== undefined && { id }),
      topic,
      ...stream,
      ...(expiresAt && { expiresAt }),
    });
  }

  /** Ends a subscription. @returns a promise for the end of the hook, or nothing when there was no subscription */
  leave(topic: string): Promise<void> | undefined {
    const { membership, presence } = this.services;
    const { connection } = this.client;
    this.#payloads?.delete(topic);
    if (!membership.unsubscribe(connection.id, topic)) return undefined;
    this.#chosenByServer?.delete(topic);
    this.#chosenByBoth?.delete(topic);
    this.#grants?.delete(topic);
    this.messages.endStreams(topic);
    presence.left(topic, connection);
    return this.hooks.left(connection, topic);
  }
}

const ENDED = 'The subscription was ended before it became active.';
