import type { CommandId, MessageCommand } from '../../core/protocol/command.js';
import type { MessageRun } from '../../handlers/reply-sink.js';
import { MessageReply } from './message-reply.js';
import type { SessionServices } from './session-services.js';
import type { Session } from './session.js';

/** A message whose final answer is still to come. */
interface RunningMessage {
  readonly topic: string;
  readonly run: MessageRun;
}

/** A session's messages that are being handled; replies may go on for long after their turn. */
export class RunningMessages {
  /** Only there once there was a message. */
  #running: Map<CommandId | MessageReply, RunningMessage> | undefined;

  constructor(
    private readonly session: Session,
    private readonly services: SessionServices,
  ) {}

  /** @returns a promise that never rejects when the next command has to wait */
  handle(command: MessageCommand): Promise<void> | undefined {
    const { pubSub, dispatcher, settings } = this.services;
    const { connection } = this.session;
    const { id } = command;
    if (id !== undefined && this.#running?.has(id)) {
      // Without the id: the answer to it is still to come, from the message that is running.
      this.session.replies.refuse({
        code: 'INVALID_MESSAGE',
        action: 'message',
        message: `The id ${id} is still in use.`,
      });
      return undefined;
    }
    if ((this.#running?.size ?? 0) >= settings.limits.mailboxSize) {
      const message = `At most ${settings.limits.mailboxSize} messages may be running at once.`;
      this.session.replies.refuse({ code: 'LIMIT_EXCEEDED', action: 'message', topic: command.topic, message }, id);
      return undefined;
    }
    const reply = new MessageReply(this.session.replies, command, this);
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

  /** Ends a message. @returns false when there is none with this id */
  cancel(id: CommandId): boolean {
    this.#running?.get(id)?.run.cancel();
    return this.#running?.delete(id) ?? false;
  }

  /** Ends all of them; nothing is answered any more. */
  stop(): void {
    this.#running?.forEach(({ run }) => run.cancel());
    this.#running = undefined;
  }

  /** Ends the streams of a topic: none outlives the subscription. */
  endStreams(topic: string): void {
    for (const [key, running] of this.#running ?? []) {
      if (running.topic !== topic || !running.run.isStreaming) continue;
      running.run.cancel();
      this.#running?.delete(key);
      if (!(key instanceof MessageReply)) this.session.replies.push({ kind: 'complete', id: key });
    }
  }
}
