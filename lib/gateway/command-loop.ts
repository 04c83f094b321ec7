import type {
  CommandId,
  HistoryCommand,
  MessageCommand,
  PresenceCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '../core/command.js';
import type { Retention, StreamPosition } from '../core/history.js';
import { haveSameRights } from '../core/connection.js';
import { Mailbox } from '../core/mailbox.js';
import { describeProblems } from '../core/problem.js';
import { explainTopic } from '../core/topic.js';
import { TopicGrants } from '../core/topic-grants.js';
import type { StreamAdmission, StreamSettings } from '../delivery/topic-stream.js';
import type { MessageRun } from '../handlers/reply-sink.js';
import { MessageReply } from './message-reply.js';
import { answerPresence } from './presence-command.js';
import type { SessionServices } from './session-services.js';
import type { Session } from './session.js';

type QueuedCommand = SubscribeCommand | UnsubscribeCommand | MessageCommand | HistoryCommand | PresenceCommand;

/** The HTTP status that says of something that it is there no longer. */
const GONE = 410;

/** A message whose final answer is still to come. */
interface RunningMessage {
  readonly topic: string;
  readonly run: MessageRun;
}

/** Carries out a session's commands, one after the other in the order they came; replies may go on after that. */
export class CommandLoop {
  readonly #mailbox: Mailbox<QueuedCommand>;
  /** Only there once there was a message. */
  #running: Map<CommandId | MessageReply, RunningMessage> | undefined;
  #busy = true;
  #started = false;
  /** Topics that no handler was asked about. */
  #chosenByServer: Set<string> | undefined;
  /** Only there once a topic was opened by a token. */
  #grants: TopicGrants | undefined;
  #onIdle: (() => void) | undefined;

  constructor(
    private readonly session: Session,
    private readonly services: SessionServices,
  ) {
    this.#mailbox = new Mailbox(services.settings.limits.mailboxSize);
  }

  /** Until then commands wait. */
  start(): void {
    this.#started = true;
    this.#busy = false;
    this.#work();
  }

  /** Resolves when no command is waiting or being handled; streams that go on by themselves do not count. */
  finish(): Promise<void> {
    if (!this.#started || (!this.#busy && this.#mailbox.length === 0)) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  /** Nothing is begun or answered any more. */
  stop(): void {
    this.#busy = true;
    this.#mailbox.clear();
    this.#onIdle?.();
    this.#running?.forEach(({ run }) => run.cancel());
    this.#running = undefined;
  }

  accept(command: QueuedCommand): void {
    if (this.#mailbox.push(command)) this.session.pauseReading();
    this.#work();
  }

  /** Ends a message that is running or waiting. One that has just ended was answered already. */
  cancel(id: CommandId): void {
    const running = this.#running?.get(id);
    running?.run.cancel();
    const waiting = running ?? this.#mailbox.remove((command) => command.id === id && command.action === 'message');
    if (!waiting) return;
    this.#running?.delete(id);
    this.session.outlet.push({ kind: 'complete', id });
    if (this.#mailbox.resume()) this.session.resumeReading();
  }

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
      const left = this.#leave(topic);
      this.session.outlet.push({ kind: 'unsubscribed', topic, reason: decision.error.message });
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

  isChosenByServer(topic: string): boolean {
    return this.#chosenByServer?.has(topic) ?? false;
  }

  unsubscribeByServer(topic: string, reason: string): boolean {
    if (!this.#leave(topic)) return false;
    this.session.outlet.push({ kind: 'unsubscribed', topic, reason });
    return true;
  }

  /** Leaves the topics whose tokens have ended. */
  expire(now: number): void {
    if (this.#grants === undefined) return;
    for (const topic of this.#grants.expired(now, this.services.settings.clockToleranceS)) {
      this.#grants.delete(topic);
      if (!this.#leave(topic)) continue;
      this.session.outlet.push({
        kind: 'unsubscribed',
        topic,
        reason: 'the token for the topic expired',
        expired: true,
      });
    }
  }

  #work(): void {
    while (!this.#busy) {
      const command = this.#mailbox.shift();
      if (this.#mailbox.resume()) this.session.resumeReading();
      if (command === undefined) return this.#onIdle?.();
      const settled = this.#handle(command);
      if (settled === undefined) continue;
      this.#busy = true;
      void settled.then(() => this.#proceed());
    }
  }

  #proceed(): void {
    if (this.session.isClosed) return;
    this.#busy = false;
    this.#work();
  }

  /** @returns a promise that never rejects when the next command has to wait */
  #handle(command: QueuedCommand): Promise<void> | undefined {
    const problems = explainTopic(command.topic, this.services.settings.limits.maxTopicLength);
    if (problems.length > 0) {
      const { action, id } = command;
      const message = `${describeProblems(problems)}.`;
      this.session.outlet.refuse({ code: 'VALIDATION_FAILED', message, action, details: problems }, id);
      return undefined;
    }
    switch (command.action) {
      case 'subscribe':
        return this.#subscribe(command);
      case 'unsubscribe': {
        const left = this.#leave(command.topic);
        if (command.id !== undefined) {
          this.session.outlet.push({ kind: 'unsubscribed', id: command.id, topic: command.topic });
        }
        return left;
      }
      case 'history':
        return this.#history(command);
      case 'message':
        return this.#message(command);
      case 'presence':
        return answerPresence(command, this.session, this.services);
    }
  }

  async #subscribe(command: SubscribeCommand): Promise<void> {
    const { pubSub, dispatcher, settings, presence } = this.services;
    const { topic, id, payload } = command;
    let { connection } = this.session;
    if (command.renews) return this.#renewToken(command);
    const refusal = command.presence ? presence.refusalOf(topic) : undefined;
    if (refusal) return this.session.outlet.fail({ ...refusal, action: 'subscribe', topic }, id);
    if (pubSub.isSubscribed(connection.id, topic)) return this.#enter(topic, command);
    const { maxTopicsPerConnection } = settings.limits;
    if (pubSub.topicsOf(connection.id).size >= maxTopicsPerConnection) {
      const message = `A connection may subscribe to at most ${maxTopicsPerConnection} topics.`;
      return this.session.outlet.refuse({ code: 'LIMIT_EXCEEDED', message, action: 'subscribe', topic }, id);
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
      if (!this.session.isClosed) this.session.outlet.fail(decision.error, id);
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
    this.session.outlet.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, id);
  }

  /** @returns false when the token opens nothing, and the client has been told, or is gone */
  async #takeToken({ topic, id, token = '' }: SubscribeCommand): Promise<boolean> {
    const grant = await this.services.topicTokens.judge(token, topic, this.session.connection.userId);
    if (this.session.isClosed) return false;
    if (!grant.ok) this.session.outlet.fail(grant.error, id);
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
    try {
      if (stream) streams.hold(topic, connection.id, stream);
      const joined = membership.subscribe(connection.id, topic);
      if (joined) await joined;
      if (stream && pubSub.isSubscribed(connection.id, topic)) {
        const admitted = (admission: StreamAdmission) => this.#admitted(topic, command, admission);
        const entered = streams.enter(topic, connection.id, command?.recover, admitted);
        if (entered) await entered;
      }
    } catch {
      void this.#leave(topic);
      const message = 'The topic cannot be reached at the moment; try again.';
      return this.session.outlet.fail({ code: 'UNAVAILABLE', message, action: 'subscribe', topic }, command?.id);
    }
    if (this.session.isClosed) return;
    if (!pubSub.isSubscribed(connection.id, topic)) {
      // The server has taken the connection off the topic meanwhile, and said so; the command wants its answer all the same.
      const message = 'The subscription was ended before it was in force.';
      if (command) this.session.outlet.fail({ code: 'FORBIDDEN', message, action: 'subscribe', topic }, command.id);
      return;
    }
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
  #admitted(topic: string, command: SubscribeCommand | undefined, admission: StreamAdmission): void {
    const { socket } = this.session;
    const { position, recovered, frames, length } = admission;
    // What would not fit into the queue of the socket would end the connection, and be asked for again, for ever.
    const isTooMuch = recovered === true && length * 2 > this.services.settings.limits.sendQueueBytes;
    if (isTooMuch) return this.#subscribed(topic, command, { position: admission.top, recovered: false });
    this.#subscribed(topic, command, { position, ...(recovered !== undefined && { recovered }) });
    for (const frame of frames) socket.send(frame.for(socket.codec));
  }

  /** Confirms a subscription: to a command with an id, or one that wishes to recover, or unasked when there was no command. */
  #subscribed(
    topic: string,
    command: SubscribeCommand | undefined,
    stream: Pick<StreamAdmission, 'recovered'> & { position?: StreamPosition } = {},
  ): void {
    if (command && command.id === undefined && !command.recover) return;
    const { id } = command ?? {};
    const expiresAt = this.#grants?.endOf(topic);
    this.session.outlet.push({
      kind: 'subscribed',
      ...(id !== undefined && { id }),
      topic,
      ...stream,
      ...(expiresAt && { expiresAt }),
    });
  }

  #history(command: HistoryCommand): Promise<void> | undefined {
    const { pubSub, dispatcher } = this.services;
    const { topic, id } = command;
    const at = { action: 'history', topic };
    const options = dispatcher.optionsOf(topic);
    if (!pubSub.isSubscribed(this.session.connection.id, topic) || options?.clientAccess === false) {
      const message = 'The history of a topic is open to its subscribers, unless the application keeps it to itself.';
      this.session.outlet.fail({ code: 'FORBIDDEN', message, ...at }, id);
    } else if (!options?.history) {
      this.session.outlet.fail({ code: 'NO_HANDLER', message: 'The topic keeps no history.', ...at }, id);
    } else if (id !== undefined) return this.#readHistory(command, id, options.history);
    return undefined;
  }

  async #readHistory(command: HistoryCommand, id: CommandId, retention: Retention): Promise<void> {
    const { history, settings } = this.services;
    const { topic, since, reverse = false } = command;
    const limit = Math.min(command.limit ?? Infinity, settings.limits.maxHistoryPage);
    try {
      const { top, publications } = await history.read(
        topic,
        { limit, reverse, ...(since && { since: since.offset }) },
        retention,
      );
      if (this.session.isClosed) return;
      if (since && since.epoch !== '' && since.epoch !== top.epoch) {
        const message = 'The history has begun anew since then; ask without "since".';
        const error = { code: 'VALIDATION_FAILED', message, action: 'history', topic, httpStatus: GONE } as const;
        return this.session.outlet.fail(error, id);
      }
      this.session.outlet.push({ kind: 'history', id, topic, top, publications });
    } catch {
      const message = 'The history cannot be read at the moment; try again.';
      if (!this.session.isClosed)
        this.session.outlet.fail({ code: 'UNAVAILABLE', message, action: 'history', topic }, id);
    }
  }

  /** @returns a promise for the hook's end, or nothing when there was no subscription */
  #leave(topic: string): Promise<void> | undefined {
    const { membership, events, dispatcher, presence } = this.services;
    const { connection } = this.session;
    if (!membership.unsubscribe(connection.id, topic)) return undefined;
    this.#chosenByServer?.delete(topic);
    this.#grants?.delete(topic);
    this.#endStreams(topic);
    presence.left(topic, connection);
    events.emit({ type: 'unsubscribed', connection, topic });
    return dispatcher.unsubscribed(connection, topic);
  }

  /** A stream does not outlive the subscription to its topic. */
  #endStreams(topic: string): void {
    for (const [key, running] of this.#running ?? []) {
      if (running.topic !== topic || !running.run.isStreaming) continue;
      running.run.cancel();
      this.#running?.delete(key);
      if (!(key instanceof MessageReply)) this.session.outlet.push({ kind: 'complete', id: key });
    }
  }

  #message(command: MessageCommand): Promise<void> | undefined {
    const { pubSub, dispatcher, settings } = this.services;
    const { connection } = this.session;
    const { id } = command;
    if (id !== undefined && this.#running?.has(id)) {
      // Without the id: the answer to it is still to come, from the message that is running.
      this.session.outlet.refuse({
        code: 'INVALID_MESSAGE',
        action: 'message',
        message: `The id ${id} is still in use.`,
      });
      return undefined;
    }
    if ((this.#running?.size ?? 0) >= settings.limits.mailboxSize) {
      const message = `At most ${settings.limits.mailboxSize} messages may be running at once.`;
      this.session.outlet.refuse({ code: 'LIMIT_EXCEEDED', action: 'message', topic: command.topic, message }, id);
      return undefined;
    }
    const reply = new MessageReply(this.session.outlet, command, this);
    const isSubscribed = pubSub.isSubscribed(connection.id, command.topic);
    const run = dispatcher.message(connection, command, isSubscribed, reply);
    if (reply.isDone) {
      run.cancel();
      return run.released;
    }
    (this.#running ??= new Map()).set(reply.key, { topic: command.topic, run });
    return run.released;
  }

  /** The final answer was given. A reply that could not be written is done before its handler is. */
  forget(reply: MessageReply): void {
    this.#running?.get(reply.key)?.run.cancel();
    this.#running?.delete(reply.key);
  }
}
