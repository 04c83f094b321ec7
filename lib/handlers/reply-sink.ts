import type { WireError } from '../core/protocol/error-code.js';

/**
 * Where the answers to one message go. Exactly one of `value`, `complete` and `error` is called, at the end, unless the
 * run is cancelled; `item` is called any number of times before. The methods must not throw.
 */
export interface ReplySink {
  /** The one reply of a handler that does not stream. */
  value(payload: unknown): void;
  /** One of many replies. */
  item(payload: unknown): void;
  /** No more replies. */
  complete(): void;
  /** It failed, maybe after some replies. */
  error(error: WireError): void;
}

/** A message that is being handled. */
export interface MessageRun {
  /** True once the handler has returned an Observable, which goes on after `released`. */
  readonly isStreaming: boolean;
  /**
   * Resolves, and never rejects, once the next message may be handled: the answer was given, the handler has returned
   * an Observable, or, after a cancel, has returned at all. `undefined` when the message was refused at once.
   */
  readonly released: Promise<void> | undefined;
  /** Ends it: the Observable is unsubscribed, or not subscribed at all if it comes later; the sink is called no more. */
  cancel(): void;
}
