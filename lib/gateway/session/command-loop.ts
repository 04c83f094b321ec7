import type {
  CommandId,
  HistoryCommand,
  MessageCommand,
  PresenceCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '../../core/protocol/command.js';
import { heapBytesOf } from '../../core/protocol/heap-estimate.js';
import { Mailbox } from '../../core/protocol/mailbox.js';
import { describeProblems } from '../../core/base/problem.js';
import { explainTopic } from '../../core/topic/topic.js';
import type { RealtimeTracer } from '../../ports/realtime-tracing.js';
import { commandSpan } from '../../delivery/span-starts.js';
import { AnswerPacing } from './answer-pacing.js';
import { answerHistory } from './history-command.js';
import { PageTurns } from './page-turns.js';
import { answerPresence } from './presence-command.js';
import { RunningMessages } from './running-messages.js';
import type { Client } from './client.js';
import type { HookOrder } from './hook-order.js';
import type { SessionServices } from './session-services.js';
import { TopicSubscriptions } from './topic-subscriptions.js';

/** A command that waits for its turn. */
export type QueuedCommand = SubscribeCommand | UnsubscribeCommand | MessageCommand | HistoryCommand | PresenceCommand;

/** Executes a client's commands sequentially, in the order of their arrival. A reply stream may outlive its command's turn. */
export class CommandLoop {
  readonly subscriptions: TopicSubscriptions;
  /** The pages of missed publications that the client gets. */
  readonly pages: PageTurns;
  readonly #messages: RunningMessages;
  readonly #mailbox: Mailbox<QueuedCommand>;
  readonly #pacing: AnswerPacing;
  /** The subscriptions that waiting commands begin, less those that they end. */
  #waitingTopics = 0;
  #busy = true;
  #started = false;
  #onIdle: (() => void) | undefined;

  constructor(
    private readonly client: Client,
    private readonly services: SessionServices,
    hooks: Pick<HookOrder, 'left' | 'undone'>,
  ) {
    const { mailboxSize: size, mailboxBytes: bytes } = services.settings.limits;
    this.#mailbox = new Mailbox({ size, bytes });
    this.#pacing = new AnswerPacing(client, services);
    this.#messages = new RunningMessages(client, services);
    this.pages = new PageTurns(client, this.#pacing, services.turns);
    this.subscriptions = new TopicSubscriptions(client, services, hooks, this.#messages, this.pages);
  }

  /** The estimated bytes of heap of the waiting commands. */
  get waitingBytes(): number {
    return this.#mailbox.bytes;
  }

  /** Starts executing commands; they wait until then. */
  start(): void {
    this.#started = true;
    const over = this.#pacing.owed();
    if (over) void over.then(() => this.#proceed());
    else this.#proceed();
  }

  /** Fulfils when no command is waiting or being handled; streams that go on by themselves do not count. */
  finish(): Promise<void> {
    if (!this.#started || (!this.#busy && this.#mailbox.length === 0)) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  /** Stops the loop: no command is started or answered any more. */
  stop(reason: 'disconnect' | 'shutdown'): void {
    this.#busy = true;
    this.#mailbox.clear();
    this.#onIdle?.();
    this.#messages.stop(reason);
    this.subscriptions.stop();
  }

  /** Queues a command, and applies backpressure when too many wait. */
  accept(command: QueuedCommand): void {
    // A command that runs at once does not wait in the mailbox, so its size need not be estimated.
    if (!this.#busy && this.#mailbox.length === 0) return this.#run(command);
    this.#countWaiting(command, 1);
    if (this.#mailbox.push(command, heapBytesOf(command))) this.client.pauseReading('mailbox');
    this.client.waitingChanged();
  }

  /** Returns false if a subscription to the topic would be one more than the connection may have once what waits for its turn is done. */
  hasRoomFor(topic: string): boolean {
    return this.subscriptions.hasRoomFor(topic, this.#waitingTopics);
  }

  #countWaiting({ action }: QueuedCommand, by: 1 | -1): void {
    if (action === 'subscribe') this.#waitingTopics += by;
    else if (action === 'unsubscribe') this.#waitingTopics -= by;
  }

  /**
   * Cancels a message that is running or waiting. A message that has just ended was answered already.
   * @param id the id of its replies
   */
  cancel(id: CommandId): void {
    const { replies } = this.client;
    if (!this.#messages.cancel(id)) {
      const isWanted = (command: QueuedCommand) => command.action === 'message' && repliesOf(command) === id;
      const waiting = this.#mailbox.remove(isWanted) as MessageCommand | undefined;
      if (waiting === undefined) return;
      // A client whose replies come under another id waits for the answer to its command, too.
      const { id: asked, stream } = waiting;
      if (asked !== undefined && stream?.accepted !== undefined)
        replies.push({ kind: 'reply', id: asked, payload: stream.accepted });
    }
    replies.push({ kind: 'complete', id });
    this.#taken();
  }

  #work(): void {
    while (!this.#busy) {
      const command = this.#mailbox.shift();
      if (command === undefined) return this.#onIdle?.();
      this.#countWaiting(command, -1);
      this.#taken();
      this.#run(command);
    }
  }

  /** Handles that a command has left the mailbox: reading may resume. */
  #taken(): void {
    if (this.#mailbox.resume()) this.client.resumeReading('mailbox');
    this.client.waitingChanged();
  }

  #run(command: QueuedCommand): void {
    const { meter, tracing } = this.services;
    const startedAt = meter.isObserved ? performance.now() : undefined;
    const settled = tracing.tracer === undefined ? this.#handle(command) : this.#trace(command, tracing.tracer);
    if (startedAt !== undefined) this.#measure(command, startedAt, settled);
    // The next command waits until the client has read the answer.
    const over = settled === undefined ? this.#pacing.wait() : settled.then(() => this.#pacing.wait());
    if (over === undefined) return;
    this.#busy = true;
    void over.then(() => this.#proceed());
  }

  #trace(command: QueuedCommand, tracer: RealtimeTracer): Promise<void> | undefined {
    const labels = this.services.meter.labelsOfCommand(command);
    const span = tracer.start(commandSpan(labels, command.trace, this.client.trace));
    const settled = span.run(() => this.#handle(command));
    if (settled === undefined) span.end();
    else void settled.then(() => span.end());
    return settled;
  }

  #measure(command: QueuedCommand, startedAt: number, settled: Promise<void> | undefined): void {
    const end = () => this.services.meter.handled(command, performance.now() - startedAt);
    if (settled === undefined) end();
    else void settled.then(end);
  }

  #proceed(): void {
    if (this.client.isClosed) return;
    this.#busy = false;
    this.#work();
  }

  /** @returns a promise that never rejects when the next command has to wait */
  #handle(command: QueuedCommand): Promise<void> | undefined {
    const problems = explainTopic(command.topic, this.services.settings.limits.maxTopicLength);
    if (problems.length > 0) {
      const { action, id } = command;
      const message = `${describeProblems(problems)}.`;
      this.client.replies.fail({ code: 'VALIDATION_FAILED', message, action, details: problems }, id);
      return undefined;
    }
    // While the topic is under judgement, the client may have lost its rights: commands wait for the decision.
    const decided = command.action === 'unsubscribe' ? undefined : this.subscriptions.decided(command.topic);
    if (decided) return decided.then(() => (this.client.isClosed ? undefined : this.#handle(command)));
    switch (command.action) {
      case 'subscribe':
        return this.subscriptions.subscribe(command);
      case 'unsubscribe':
        return this.#unsubscribe(command);
      case 'message':
        this.services.meter.received(command.topic);
        return this.#messages.handle(command);
      case 'history':
        return answerHistory(command, this.client, this.services, () => this.subscriptions.isOpen(command.topic));
      case 'presence':
        return answerPresence(command, this.client, this.services, () => this.subscriptions.isOpen(command.topic));
    }
  }

  #unsubscribe({ topic, id }: UnsubscribeCommand): Promise<void> | undefined {
    const left = this.subscriptions.leave(topic);
    if (id !== undefined) this.client.replies.push({ kind: 'unsubscribed', id, topic });
    return left;
  }
}

/** The id under which the replies to a message come. */
function repliesOf({ id, stream }: MessageCommand): CommandId | undefined {
  return stream?.id ?? id;
}
