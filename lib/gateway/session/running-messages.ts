import type { CancelReason } from '../../core/protocol/cancel-reason.js';
import type { CommandId, MessageCommand } from '../../core/protocol/command.js';
import { heapBytesOf } from '../../core/protocol/heap-estimate.js';
import type { HandlerDispatcher } from '../../handlers/handler.dispatcher.js';
import type { MessageRun } from '../../handlers/reply-sink.js';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import { MessageReply } from './message-reply.js';
import type { Client } from './client.js';
import type { TurnQueue } from '../turn-queue.js';

/** An item of a stream may take milliseconds to make, so the clock is read for each. */
const ITEM_STEPS = 16;

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits'>;
  readonly pubSub: Pick<PubSubManager, 'isSubscribed'>;
  readonly dispatcher: Pick<HandlerDispatcher, 'message'>;
  readonly turns: Pick<TurnQueue, 'isOver' | 'add'>;
}

/** A message whose final answer is still to come. */
interface RunningMessage {
  /** The call holds it until the end: an exception filter may ask for the payload. */
  readonly command: MessageCommand;
  readonly run: MessageRun;
  /** The estimated bytes of heap of its payload, once they have been asked for. */
  bytes?: number;
}

/** A client's messages that are being handled; a reply stream may go on long after the message's turn. */
export class RunningMessages {
  /** Made with the first message. */
  #running: Map<CommandId | MessageReply, RunningMessage> | undefined;
  /** Cancelled streams whose producers have yet to end; they count towards the limit. */
  #leaving = 0;
  /** The estimated bytes of heap of their payloads. */
  #leavingBytes = 0;

  constructor(
    private readonly client: Client,
    private readonly services: Services,
  ) {}

  /** @returns a promise that never rejects when the next command has to wait */
  handle(command: MessageCommand): Promise<void> | undefined {
    const { pubSub, dispatcher, settings } = this.services;
    const { connection } = this.client;
    const { id, stream } = command;
    const key = stream?.id ?? id;
    if (key !== undefined && this.#running?.has(key)) {
      // The error has no id, because the running message has yet to be answered under it.
      this.client.replies.refuse({
        code: 'INVALID_MESSAGE',
        action: 'message',
        message: `The id ${id} is still in use.`,
      });
      return undefined;
    }
    if ((this.#running?.size ?? 0) + this.#leaving >= settings.limits.mailboxSize) {
      const message = `At most ${settings.limits.mailboxSize} messages may be running at once.`;
      this.client.replies.refuse({ code: 'LIMIT_EXCEEDED', action: 'message', topic: command.topic, message }, id);
      return undefined;
    }
    if (!this.#hasRoomFor(command)) {
      this.client.replies.fail({ ...TOO_LARGE, action: 'message', topic: command.topic }, id);
      return undefined;
    }
    const reply = new MessageReply(this.client.replies, command, this);
    const isSubscribed = pubSub.isSubscribed(connection.id, command.topic);
    const run = dispatcher.message(connection, command, isSubscribed, reply);
    const running = { command, run };
    if (reply.isDone) {
      this.#end(running, 'dropped');
      return run.released;
    }
    (this.#running ??= new Map()).set(reply.key, running);
    reply.accept();
    return run.released;
  }

  /** Returns nothing if the next item of a stream may be asked for; see {@link ReplySink.room}. */
  room(): Promise<void> | undefined {
    const { turns } = this.services;
    const drained = this.client.drained();
    if (drained || !turns.isOver(ITEM_STEPS)) return drained;
    return new Promise((resolve) => turns.add({ takeTurn: resolve }));
  }

  /** Forgets a message whose final answer was given. If a reply could not be written, this happens before the handler has ended. */
  forget(reply: MessageReply): void {
    this.#cancel(reply.key, 'dropped');
  }

  /** Cancels a message. @returns false if no message with this id is running */
  cancel(id: CommandId): boolean {
    return this.#cancel(id, 'cancel');
  }

  /** Cancels all messages; nothing is answered any more. */
  stop(reason: 'disconnect' | 'shutdown'): void {
    const running = this.#running;
    this.#running = undefined;
    running?.forEach((each) => this.#end(each, reason));
  }

  /** Cancels the streams of a topic, and the handlers that have taken the signal: none outlives the subscription. */
  endStreams(topic: string): void {
    for (const [key, running] of this.#running ?? []) {
      if (running.command.topic !== topic || !running.run.endsWithTopic) continue;
      this.#cancel(key, 'leave');
      if (!(key instanceof MessageReply)) this.client.replies.push({ kind: 'complete', id: key });
    }
  }

  #cancel(key: CommandId | MessageReply, reason: CancelReason): boolean {
    const running = this.#running?.get(key);
    if (!running) return false;
    // First: the application's code that a cancel runs may end the connection.
    this.#running?.delete(key);
    this.#end(running, reason);
    return true;
  }

  #end(running: RunningMessage, reason: CancelReason): void {
    const left = running.run.cancel(reason);
    if (!left) return;
    const bytes = bytesOf(running);
    this.#leaving += 1;
    this.#leavingBytes += bytes;
    void left.then(() => this.#ended(bytes));
  }

  #ended(bytes: number): void {
    this.#leaving -= 1;
    this.#leavingBytes -= bytes;
  }

  /** Returns false if the payloads of the message and of those that run are too large, the largest left out: it may always run alone. */
  #hasRoomFor(command: MessageCommand): boolean {
    if (this.#leaving === 0 && (this.#running === undefined || this.#running.size === 0)) return true;
    let largest = heapBytesOf(command.payload);
    let total = largest + this.#leavingBytes;
    for (const each of this.#running?.values() ?? []) {
      const bytes = bytesOf(each);
      total += bytes;
      largest = Math.max(largest, bytes);
    }
    return total - largest <= this.services.settings.limits.mailboxBytes;
  }
}

const TOO_LARGE = {
  code: 'LIMIT_EXCEEDED',
  message: 'The payloads of running messages are too large together.',
} as const;

function bytesOf(running: RunningMessage): number {
  return (running.bytes ??= heapBytesOf(running.command.payload));
}
