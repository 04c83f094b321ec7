import type { CommandId, MessageCommand } from '../../core/protocol/command.js';
import { lostInJson } from '../../core/message/lost-in-json.js';
import type { WireError } from '../../core/protocol/error-code.js';
import type { ReplySink } from '../../handlers/reply-sink.js';
import type { ClientReplies } from './client-replies.js';
import { SafeLogger } from '../../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeHandlers');

/** Turns the results of a handler into answers: exactly one final answer to a message with an id, else only an error. */
export class MessageReply implements ReplySink {
  isDone = false;
  /** The id of the answers. */
  #id: CommandId | undefined;
  /** The number of items of a stream so far. */
  #items = 0;
  /** The latest reply of a stream, for a client that accepts a single reply. */
  #latest: { readonly payload: unknown } | undefined;

  constructor(
    private readonly replies: Pick<ClientReplies, 'push' | 'fail'>,
    private readonly command: MessageCommand,
    private readonly owner: { forget(reply: MessageReply): void; room(): Promise<void> | undefined },
  ) {
    this.#id = command.id;
  }

  /** The key of the message while it is running: the id of its replies, or the reply itself when there is none. */
  get key(): CommandId | MessageReply {
    return this.command.stream?.id ?? this.command.id ?? this;
  }

  /** Answers a command whose replies come under another id. Call it once the handler was called. */
  accept(): void {
    const { id, stream } = this.command;
    if (id === undefined || stream === undefined) return;
    this.#id = stream.id;
    if (stream.accepted !== undefined) this.replies.push({ kind: 'reply', id, payload: stream.accepted });
  }

  value(payload: unknown): void {
    this.#done();
    if (this.#push(payload) && this.command.stream) this.#complete();
  }

  item(payload: unknown): void {
    this.#items += 1;
    if (this.command.single) this.#latest = { payload };
    else if (!this.#push(payload)) this.#done();
  }

  complete(): void {
    if (this.#latest) return this.value(this.#latest.payload);
    this.#done();
    this.#complete();
  }

  error(error: WireError): void {
    this.#done();
    this.replies.fail(error, this.#id);
  }

  room(): Promise<void> | undefined {
    return this.owner.room();
  }

  /** @returns false when the payload could not be written; the client has received an error then */
  #push(payload: unknown): boolean {
    const { topic, type } = this.command;
    const id = this.#id;
    if (id === undefined) return true;
    try {
      const lost = lostInJson(payload);
      if (lost) throw new TypeError(`${lost.path === '' ? 'It' : `reply${lost.path}`} is ${lost.what}`);
      this.replies.push({ kind: 'reply', id, payload });
      return true;
    } catch (error) {
      const what = this.#items > 0 ? `Item ${this.#items} of the reply` : 'The reply';
      logger.error(
        `${what} to "${type}" in "${topic}" cannot be serialised as JSON`,
        (error as Error | undefined)?.stack,
      );
      this.replies.fail(
        { code: 'INTERNAL', message: 'The reply could not be serialised.', action: 'message', topic },
        id,
      );
      return false;
    }
  }

  #complete(): void {
    if (this.#id !== undefined) this.replies.push({ kind: 'complete', id: this.#id });
  }

  #done(): void {
    this.isDone = true;
    this.owner.forget(this);
  }
}
