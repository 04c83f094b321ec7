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
}

/** A message that is being handled. */
export interface MessageRun {
  /** True once the handler has returned an Observable, which goes on after `released`. */
  readonly isStreaming: boolean;
  /**
   * Resolves, and never rejects, once the next message may be handled: the answer was given, the handler has returned
   * an Observable, or, after a cancel, the handler has returned. `undefined` if the message was refused at once.
   */
  readonly released: Promise<void> | undefined;
  /** Cancels the run: the Observable is unsubscribed, or never subscribed if it comes later; the sink is not called any more. */
  cancel(): void;
}
