import type { SubscribeCommand } from '../../core/protocol/command.js';
import { haveSameRights } from '../../core/connection/connection.js';
import type { StreamPosition } from '../../core/history/history.js';
import { TopicGrants } from '../../core/topic/topic-grants.js';
import type { FramedStreamStart, StreamSettings } from '../../delivery/topic-stream.js';
import { fitting } from './fitting-start.js';
import type { SessionServices } from './session-services.js';
import type { Session } from './session.js';

/** A session's subscriptions: who may have them, when they are in force, and how they end. */
export class TopicSubscriptions {
  /** Topics that no handler was asked about. */
  #chosenByServer: Set<string> | undefined;
  /** Those of them that the client has subscribed to as well. */
  #chosenByBoth: Set<string> | undefined;
  /** Only there once a topic was opened by a token. */
  #grants: TopicGrants | undefined;

  /** @param onLeave told of each topic that is left */
  constructor(
    private readonly session: Session,
    private readonly services: SessionServices,
    private readonly onLeave: (topic: string) => void,
  ) {}

  /** Leaves the topics that a handler would not open to the present roles and permissions. It does not wait behind commands. */
  async reauthorize(): Promise<void> {
    const { pubSub, dispatcher, presence } = this.services;
    const { connection } = this.session;
    for (const topic of pubSub.topicsOf(connection.id)) {
      if (this.#chosenByServer?.has(topic)) continue;
      const decision = await dispatcher.subscribe(connection, topic, undefined, 'reauthorize', this.#hasToken(topic));
      if (!pubSub.isSubscribed(connection.id, topic)) continue;
      if (decision.allowed) {
        presence.entered(topic, connection, decision.info);
        continue;
      }
      const left = this.leave(topic);
      this.session.replies.push({ kind: 'unsubscribed', topic, reason: decision.error.message });
      await left;
    }
  }

  /** @returns false when there is nothing to do, else a promise for whether the subscription has come into force */
  subscribeByServer(topic: string): boolean | Promise<boolean> {
    const { pubSub } = this.services;
    const { id } = this.session.connection;
    if (this.session.isClosed || pubSub.isSubscribed(id, topic)) return false;
    (this.#chosenByServer ??= new Set()).add(topic);
    return this.#enter(topic, undefined).then(() => pubSub.isSubscribed(id, topic));
  }

  /** True when the client cannot begin the subscription again by itself. */
  isChosenByServer(topic: string): boolean {
    return (this.#chosenByServer?.has(topic) ?? false) && !this.#chosenByBoth?.has(topic);
  }

  unsubscribeByServer(topic: string, reason: string): boolean {
    if (!this.leave(topic)) return false;
    this.session.replies.push({ kind: 'unsubscribed', topic, reason });
    return true;
  }

  /** Leaves the topics whose tokens have ended. */
  expire(now: number): void {
    if (this.#grants === undefined) return;
    for (const topic of this.#grants.expired(now, this.services.settings.clockToleranceS)) {
      this.#grants.delete(topic);
      if (!this.leave(topic)) continue;
      this.session.replies.push({
        kind: 'unsubscribed',
        topic,
        reason: 'the token for the topic expired',
        expired: true,
      });
    }
  }

  /** Carries out a client's wish. The promise does not reject. */
  async subscribe(command: SubscribeCommand): Promise<void> {
    const { pubSub, dispatcher, settings, presence } = this.services;
    const { topic, id, payload } = command;
    let { connection } = this.session;
    if (command.renews) return this.#renewToken(command);
    const refusal = command.presence ? presence.refusalOf(topic) : undefined;
    if (refusal) return this.session.replies.fail({ ...refusal, action: 'subscribe', topic }, id);
    if (pubSub.isSubscribed(connection.id, topic)) {
      if (this.isChosenByServer(topic)) (this.#chosenByBoth ??= new Set()).add(topic);
      return this.#enter(topic, command);
    }
    const { maxTopicsPerConnection } = settings.limits;
    if (pubSub.topicsOf(connection.id).size >= maxTopicsPerConnection) {
      const message = `A connection may subscribe to at most ${maxTopicsPerConnection} topics.`;
      return this.session.replies.refuse({ code: 'LIMIT_EXCEEDED', message, action: 'subscribe', topic }, id);
    }
    const hasToken = command.token !== undefined;
    if (!hasToken) this.#grants?.delete(topic);
    else if (!(await this.#takeToken(command))) return;
    let decision = await dispatcher.subscribe(connection, topic, payload, 'subscribe', hasToken);
    // A token that was renewed meanwhile may have changed the answer.
    while (decision.allowed && !this.session.isClosed && !haveSameRights(connection, this.session.connection)) {
      connection = this.session.connection;
      decision = await dispatcher.subscribe(connection, topic, payload, 'reauthorize', hasToken);
      if (!decision.allowed) await dispatcher.unsubscribed(connection, topic);
    }
    if (!decision.allowed) {
      this.#grants?.delete(topic);
      if (!this.session.isClosed) this.session.replies.fail(decision.error, id);
    } else if (this.session.isClosed) {
      // Who was let in must be seen to leave, even if the client was gone before it could enter.
      await dispatcher.unsubscribed(connection, topic);
    } else await this.#enter(topic, command, decision.info);
  }

  /** Puts another token in the place of the one that a subscription lives by. */
  async #renewToken(command: SubscribeCommand): Promise<void> {
    const { topic, id } = command;
    if (this.services.pubSub.isSubscribed(this.session.connection.id, topic)) {
      if (await this.#takeToken(command)) this.#subscribed(topic, command);
      return;
    }
    const message = 'There is no subscription to renew.';
    this.session.replies.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, id);
  }

  /** @returns false when the token opens nothing, and the client has been told, or is gone */
  async #takeToken({ topic, id, token = '' }: SubscribeCommand): Promise<boolean> {
    const grant = await this.services.topicTokens.judge(token, topic, this.session.connection.userId);
    if (this.session.isClosed) return false;
    if (!grant.ok) this.session.replies.fail(grant.error, id);
    else (this.#grants ??= new TopicGrants()).set(topic, grant.expiresAt);
    return grant.ok;
  }

  #hasToken(topic: string): boolean {
    return this.#grants?.endOf(topic) !== undefined;
  }

  /** Makes a subscription, and says so once it is in force: to a command with an id, or unasked when there was no command. */
  async #enter(topic: string, command: SubscribeCommand | undefined, info?: unknown): Promise<void> {
    const { membership, events, pubSub, streams, presence } = this.services;
    const { connection } = this.session;
    const isNew = !pubSub.isSubscribed(connection.id, topic);
    const stream = this.#streamOf(topic);
    let isIn = true;
    try {
      if (stream) streams.hold(topic, connection.id, stream);
      else if (isNew) streams.pending.hold(topic, connection.id);
      const joined = membership.subscribe(connection.id, topic);
      if (joined) await joined;
      if (stream && pubSub.isSubscribed(connection.id, topic)) {
        const admitted = (admission: FramedStreamStart) => this.#admitted(topic, command, admission);
        const entered = streams.enter(topic, connection.id, command?.recover, admitted);
        if (entered) isIn = await entered;
      }
    } catch {
      void this.leave(topic);
      const message = 'The topic cannot be reached at the moment; try again.';
      return this.session.replies.fail({ code: 'UNAVAILABLE', message, action: 'subscribe', topic }, command?.id);
    }
    if (this.session.isClosed) return;
    if (!isIn || !pubSub.isSubscribed(connection.id, topic)) {
      // The server has taken the connection off the topic meanwhile, and said so, even if it has put it there again; the
      // command wants its answer all the same.
      const message = 'The subscription was ended before it was in force.';
      if (command) this.session.replies.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, command.id);
      return;
    }
    streams.pending.release(topic, connection.id);
    if (!stream) this.#subscribed(topic, command);
    if (isNew) events.emit({ type: 'subscribed', connection, topic });
    presence.entered(topic, connection, info, command?.presence);
  }

  /** How the topic keeps its history, if it does. */
  #streamOf(topic: string): StreamSettings | undefined {
    const history = this.services.dispatcher.optionsOf(topic)?.history;
    if (!history) return undefined;
    const { size, ttlMs, sendLatest = false } = history;
    return { retention: { size, ttlMs }, sendLatest, pageSize: this.services.settings.limits.maxHistoryPage };
  }

  /** Says where everything begins, and lets follow what was missed, before anything else can be said. */
  #admitted(topic: string, command: SubscribeCommand | undefined, admission: FramedStreamStart): void {
    const { socket } = this.session;
    const { frames, ...place } = fitting(admission, this.services.settings.limits);
    this.#subscribed(topic, command, place);
    for (const frame of frames) socket.send(frame.for(socket.codec));
  }

  /** Confirms a subscription: to a command with an id, or one that wishes to recover, or unasked when there was no command. */
  #subscribed(
    topic: string,
    command: SubscribeCommand | undefined,
    stream: Pick<FramedStreamStart, 'recovered'> & { position?: StreamPosition } = {},
  ): void {
    if (command && command.id === undefined && !command.recover) return;
    const { id } = command ?? {};
    const expiresAt = this.#grants?.endOf(topic);
    this.session.replies.push({
      kind: 'subscribed',
      ...(id !== undefined && { id }),
      topic,
      ...stream,
      ...(expiresAt && { expiresAt }),
    });
  }

  /** @returns a promise for the hook's end, or nothing when there was no subscription */
  leave(topic: string): Promise<void> | undefined {
    const { membership, events, dispatcher, presence } = this.services;
    const { connection } = this.session;
    if (!membership.unsubscribe(connection.id, topic)) return undefined;
    this.#chosenByServer?.delete(topic);
    this.#chosenByBoth?.delete(topic);
    this.#grants?.delete(topic);
    this.onLeave(topic);
    presence.left(topic, connection);
    events.emit({ type: 'unsubscribed', connection, topic });
    return dispatcher.unsubscribed(connection, topic);
  }
}
