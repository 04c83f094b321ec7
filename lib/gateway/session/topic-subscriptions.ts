import type { SubscribeCommand } from '../../core/protocol/command.js';
import type { WireError } from '../../core/protocol/error-code.js';
import { noRoomFor } from '../../core/protocol/frame-verdict.js';
import { KeptPayloads } from '../../core/protocol/kept-payloads.js';
import type { ConnectionEvents } from '../../delivery/connection-events.js';
import type { NodeMeter } from '../../delivery/node-meter.js';
import type { Membership } from '../../delivery/membership.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { HandlerDispatcher } from '../../handlers/handler.dispatcher.js';
import type { SubscribeDecision, SubscribeGrant } from '../../handlers/subscribe-decision.js';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { TopicTokens } from '../auth/topic-tokens.js';
import type { Client } from './client.js';
import type { HookOrder } from './hook-order.js';
import type { WantedRates } from './pace-entry.js';
import type { PageTurns } from './page-turns.js';
import type { RunningMessages } from './running-messages.js';
import type { JudgementRunner } from './judgement-runner.js';
import { SubscriptionJudgements, type JudgedSubscriptions } from './subscription-judgements.js';
import { endedError } from './subscription-ends.js';
import { SubscriptionStarts } from './subscription-starts.js';
import { SubscriptionTokens } from './subscription-tokens.js';
import type { TopicPresence } from './topic-presence.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits' | 'clockToleranceS'>;
  readonly membership: Pick<Membership, 'catchUp' | 'enter' | 'flush' | 'unsubscribe' | 'hold' | 'endHold'>;
  readonly pubSub: Pick<PubSubManager, 'isSubscribed' | 'topicsOf'>;
  readonly dispatcher: Pick<HandlerDispatcher, 'subscribe'>;
  readonly presence: Pick<TopicPresence, 'entered' | 'left' | 'refusalOf'>;
  readonly events: Pick<ConnectionEvents, 'emit'>;
  readonly policies: TopicPolicies;
  readonly topicTokens: Pick<TopicTokens, 'judge'>;
  readonly judgements: Pick<JudgementRunner, 'judge' | 'drop' | 'forget'>;
  readonly meter: Pick<NodeMeter, 'recovered' | 'resent'>;
}

/** The subscriptions of one client: their authorization, their start and their end. */
export class TopicSubscriptions implements JudgedSubscriptions {
  /** Topics that the server has subscribed the client to, without asking a handler. */
  #chosenByServer: Set<string> | undefined;
  /** The topics among them that the client has subscribed to as well. */
  #chosenByBoth: Set<string> | undefined;
  /** Created with the first change of rights. */
  #judgements: SubscriptionJudgements | undefined;
  /** Created with the first topic token. */
  #tokens: SubscriptionTokens | undefined;
  /** Created with the first subscription. */
  #starts: SubscriptionStarts | undefined;
  /** The payload of the last accepted subscribe of each topic that had one. */
  #payloads: KeptPayloads | undefined;
  /** The rates that are wanted for each topic for which there is one. */
  #rates: Map<string, WantedRates> | undefined;

  /**
   * @param messages whose streams end with each topic that is left
   * @param pages the pages of missed publications that the client gets
   */
  constructor(
    private readonly client: Client,
    private readonly services: Services,
    private readonly hooks: Pick<HookOrder, 'left' | 'undone'>,
    private readonly messages: Pick<RunningMessages, 'endStreams'>,
    private readonly pages: Pick<PageTurns, 'add'>,
  ) {}

  /**
   * Has the handlers judge the topics again, by the present roles, permissions and metadata. It does not queue behind commands.
   * Deliveries for a topic are held from now on until the topic is decided.
   */
  reauthorize(): void {
    const topics = this.services.pubSub.topicsOf(this.client.connection.id);
    this.#judgements ??= new SubscriptionJudgements(this.client, this.services, this);
    this.#judgements.begin(Array.from(topics).filter((topic) => !this.#chosenByServer?.has(topic)));
  }

  /** Ends the subscriptions whose topic tokens were revoked, once the application has said so. */
  revalidate(): void {
    this.#tokens?.revalidate();
  }

  /** Returns a promise that fulfils when the topic is no longer under judgement; nothing if it is not. */
  decided(topic: string): Promise<void> | undefined {
    return this.#judgements?.decided(topic);
  }

  keep(topic: string, deliver: () => void, bytes: number): boolean {
    return this.#judgements?.keep(topic, deliver, bytes) ?? false;
  }

  tokenEndOf(topic: string): Date | undefined {
    return this.#tokens?.endOf(topic);
  }

  /** Fulfils with whether the client is subscribed to the topic, once the topic is no longer under judgement. */
  async isOpen(topic: string): Promise<boolean> {
    for (let decided = this.decided(topic); decided; decided = this.decided(topic)) await decided;
    return this.#isIn(topic);
  }

  /** Ends all judgements that are under way, because the client has gone. */
  stop(): void {
    this.#judgements?.stop();
    this.#tokens?.stop();
  }

  ask(topic: string): Promise<SubscribeDecision> {
    const { connection } = this.client;
    const payload = this.#payloads?.of(topic);
    return this.services.dispatcher.subscribe(connection, topic, payload, 'reauthorize', this.#hasToken(topic));
  }

  stay(topic: string, info: unknown): void {
    this.services.presence.entered(topic, this.client.connection, info);
  }

  takeOff(topic: string, { code, message: reason }: Pick<WireError, 'code' | 'message'>): void {
    this.#starts?.ends.note(topic, code);
    void this.leave(topic);
    this.client.replies.push({ kind: 'unsubscribed', topic, reason, code });
  }

  /** @returns false when there is nothing to do, else a promise for whether the subscription has become active */
  subscribeByServer(topic: string): boolean | Promise<boolean> {
    const { pubSub } = this.services;
    const { id } = this.client.connection;
    if (this.client.isClosed || pubSub.isSubscribed(id, topic)) return false;
    (this.#chosenByServer ??= new Set()).add(topic);
    return this.#start.enter(topic, undefined).then(() => pubSub.isSubscribed(id, topic));
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
    for (const topic of this.#tokens?.takeExpired(now) ?? NONE) {
      this.#starts?.ends.note(topic, 'TOKEN_EXPIRED');
      if (!this.leave(topic)) continue;
      const reason = 'the token for the topic expired';
      this.client.replies.push({ kind: 'unsubscribed', topic, reason, code: 'TOKEN_EXPIRED' });
    }
  }

  /**
   * Returns false if a subscription to the topic would be one more than the connection may have.
   * @param waiting the number of subscriptions that are still to come before
   */
  hasRoomFor(topic: string, waiting = 0): boolean {
    const { pubSub, settings } = this.services;
    const { id } = this.client.connection;
    return (
      pubSub.topicsOf(id).size + waiting < settings.limits.maxTopicsPerConnection || pubSub.isSubscribed(id, topic)
    );
  }

  /** Carries out a `subscribe` command. The promise does not reject. */
  async subscribe(command: SubscribeCommand): Promise<void> {
    const { pubSub, membership, presence } = this.services;
    const { topic, id, payload } = command;
    const kept = payload === undefined ? undefined : JSON.stringify(payload);
    const { connection } = this.client;
    if (command.renews) return this.#renewToken(command);
    const refusal = (command.presence === true ? presence.refusalOf(topic) : undefined) ?? this.#rateRefusal(command);
    if (refusal) return this.client.replies.fail({ ...refusal, action: 'subscribe', topic }, id);
    if (kept !== undefined && this.#payloads?.hasRoomFor(topic, kept) === false) {
      return this.client.replies.fail({ ...PAYLOADS_TOO_LARGE, action: 'subscribe', topic }, id);
    }
    if (pubSub.isSubscribed(connection.id, topic)) {
      // The command has a new payload: the handler decides again, and a denial leaves the subscription as it was.
      const again = payload === undefined ? undefined : await this.#judgeAgain(command);
      if (again === null || this.client.isClosed) return;
      if (this.isChosenByServer(topic)) (this.#chosenByBoth ??= new Set()).add(topic);
      this.#keepPayload(topic, kept);
      return this.#start.enter(topic, command, again, this.#keepRates(command, again));
    }
    if (!this.hasRoomFor(topic)) return this.client.replies.fail(noRoomFor(topic), id);
    const hasToken = command.token !== undefined;
    if (!hasToken) this.#tokens?.delete(topic);
    else if (!(await this.#takeToken(command))) return;
    const decision = await this.#judge(topic, payload, 'subscribe', hasToken);
    // An order that still waits may end the connection.
    membership.catchUp(connection.id);
    if (!decision.allowed) {
      this.#tokens?.delete(topic);
      if (!this.client.isClosed) this.client.replies.fail(decision.error, id);
    } else if (this.client.isClosed) {
      // The application has seen the client enter, and must see it leave, even if it was gone before it could enter.
      await this.hooks.undone(connection, topic);
    } else {
      this.#keepPayload(topic, kept);
      await this.#start.enter(topic, command, decision, this.#keepRates(command, decision));
    }
  }

  /** Only a topic that delivers the latest values can do so at the rate of a client. */
  #rateRefusal({ topic, maxRateHz }: SubscribeCommand): WireError | undefined {
    if (maxRateHz === undefined) return undefined;
    const { delivery } = this.services.policies.of(topic) ?? {};
    return delivery?.slow === 'latest' ? undefined : NO_RATE;
  }

  /** @param payload as JSON; without one, the payload of an earlier subscribe remains */
  #keepPayload(topic: string, payload: string | undefined): void {
    if (payload === undefined) return;
    (this.#payloads ??= new KeptPayloads(this.services.settings.limits.mailboxBytes)).keep(topic, payload);
  }

  /** @param granted what a handler has decided; if none was asked, the rate that it has granted before remains */
  #keepRates({ topic, maxRateHz }: SubscribeCommand, granted: SubscribeGrant | undefined): WantedRates {
    const before = this.#rates?.get(topic);
    const rates = {
      asked: maxRateHz ?? before?.asked,
      granted: granted ? granted.maxRateHz : before?.granted,
    };
    if (before ?? rates.asked ?? rates.granted) (this.#rates ??= new Map()).set(topic, rates);
    return rates;
  }

  /** Asks a handler about a topic, again for as long as the rights have changed meanwhile. */
  async #judge(
    topic: string,
    payload: unknown,
    event: 'subscribe' | 'resubscribe',
    hasToken: boolean,
  ): Promise<SubscribeDecision> {
    const { dispatcher } = this.services;
    for (let isFirst = true; ; isFirst = false) {
      const changes = this.#judgements?.changes ?? 0;
      const { connection } = this.client;
      const as = isFirst ? 'subscribe' : 'reauthorize';
      const decision = await dispatcher.subscribe(connection, topic, payload, as, hasToken);
      // The judgement that a change has caused goes by the earlier payload.
      await this.decided(topic);
      // The application has seen the client enter, and must see it leave.
      if (!decision.allowed && !isFirst && event === 'subscribe') await this.hooks.undone(connection, topic);
      if (!decision.allowed || this.client.isClosed || changes === (this.#judgements?.changes ?? 0)) return decision;
    }
  }

  /** @returns what the subscription comes with now; `null` if the handler denied it and the client received the error, or the client is gone */
  async #judgeAgain({ topic, id, payload }: SubscribeCommand): Promise<SubscribeGrant | null> {
    const { ends } = this.#start;
    const watch = ends.watch(topic);
    const decision = await this.#judge(topic, payload, 'resubscribe', this.#hasToken(topic));
    ends.unwatch(watch);
    if (this.client.isClosed) return null;
    if (decision.allowed && this.#isIn(topic)) return decision;
    this.client.replies.fail(decision.allowed ? endedError(watch) : decision.error, id);
    return null;
  }

  #isIn(topic: string): boolean {
    return this.services.pubSub.isSubscribed(this.client.connection.id, topic);
  }

  /** Replaces the token of a subscription. */
  async #renewToken(command: SubscribeCommand): Promise<void> {
    const { topic, id } = command;
    if (this.#isIn(topic)) {
      const { ends } = this.#start;
      const watch = ends.watch(topic);
      const isGood = await this.#takeToken(command);
      ends.unwatch(watch);
      if (!isGood) return;
      if (this.#isIn(topic)) return this.#start.confirm(topic, command);
      this.#tokens?.delete(topic);
      return this.client.replies.fail(endedError(watch), id);
    }
    const message = 'There is no subscription to renew.';
    this.client.replies.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, id);
  }

  #takeToken(command: SubscribeCommand): Promise<boolean> {
    const onRevoked = (topic: string) => this.unsubscribeByServer(topic, REVOKED);
    this.#tokens ??= new SubscriptionTokens(this.client, this.services, onRevoked);
    return this.#tokens.take(command);
  }

  get #start(): SubscriptionStarts {
    return (this.#starts ??= new SubscriptionStarts(this.client, this.services, this, this.pages));
  }

  #hasToken(topic: string): boolean {
    return this.tokenEndOf(topic) !== undefined;
  }

  /** Ends a subscription. @returns a promise for the end of the hook, or nothing when there was no subscription */
  leave(topic: string): Promise<void> | undefined {
    const { membership, presence } = this.services;
    const { connection } = this.client;
    this.#payloads?.delete(topic);
    this.#rates?.delete(topic);
    this.#judgements?.drop(topic);
    if (!membership.unsubscribe(connection.id, topic)) return undefined;
    this.#chosenByServer?.delete(topic);
    this.#chosenByBoth?.delete(topic);
    this.#tokens?.delete(topic);
    this.messages.endStreams(topic);
    presence.left(topic, connection);
    return this.hooks.left(connection, topic);
  }
}

const NONE: readonly string[] = [];
const PAYLOADS_TOO_LARGE = {
  code: 'LIMIT_EXCEEDED',
  message: 'The payloads of your subscriptions are too large together; unsubscribe from a topic, or send smaller ones.',
} as const;
const NO_RATE: WireError = {
  code: 'VALIDATION_FAILED',
  message: 'This topic delivers every message; subscribe without maxRateHz.',
};
const REVOKED = 'the token for the topic has been revoked';
