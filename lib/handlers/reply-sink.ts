import type { CancelReason } from '../core/protocol/cancel-reason.js';
import type { WireError } from '../core/protocol/error-code.js';

/**
 * The receiver of the answers to one message. Exactly one of `value`, `complete` and `error` is called, at the end, unless the
 * run is cancelled; `item` is called any number of times before. The methods must not throw.
 */
export interface ReplySink {
  /** The one reply of a handler that does not stream. */
  value(payload: unknown): void;
  /** One of many replies. */
  item(payload: unknown): void;
  /** No more replies. */
  complete(): void;
  /** The handler failed, possibly after some replies. */
  error(error: WireError): void;
  /**
   * Returns nothing while the client takes items and this turn of the event loop has time for more, else a promise for when the next
   * item may be asked for. It never rejects, and stays pending if the connection ends before.
   */
  room(): Promise<void> | undefined;
}

/** A message that is being handled. */
export interface MessageRun {
  /** True once the handler has returned a stream, which goes on after `released`, or has taken the cancel signal. */
  readonly endsWithTopic: boolean;
  /**
   * Resolves, and never rejects, once the next message may be handled: the answer was given, the handler has returned
   * a stream, or, after a cancel, the handler has returned. `undefined` if the message was refused at once.
   */
  readonly released: Promise<void> | undefined;
  /**
   * Cancels the run: the signal of the handler is aborted, then its stream is ended, or never begun if it comes later; the sink is not
   * called any more. Has no effect on a run that has ended.
   * @returns a promise that never rejects, while a producer has yet to end; it may ignore the signal, and then does so with its next item
   */
  cancel(reason: CancelReason): Promise<unknown> | undefined;
}
