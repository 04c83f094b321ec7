import type { ArgumentsHost } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import type { CancelReason } from '../core/protocol/cancel-reason.js';
import { RealtimeCancelledError } from '../errors/realtime-cancelled.error.js';

/**
 * The event for which a handler is called. `reauthorize`: `@OnSubscribe()` is called again for an existing subscription,
 * without a payload, because the roles or permissions of the connection changed by a newer token or by `changeRights()`.
 */
export type HandlerEvent =
  'subscribe' | 'reauthorize' | 'unsubscribe' | 'message' | 'join' | 'leave' | 'update' | 'connect' | 'disconnect';

/**
 * The context of one call of a topic handler or connection hook. It is the third argument of the method, the third argument
 * in an `ExecutionContext` (see {@link realtimeContextOf}), and the `REQUEST` of request-scoped providers.
 * @publicApi
 */
export interface RealtimeContext {
  readonly event: HandlerEvent;
  /** `undefined` for `join`, `leave` and `update`, which are about a user, whose connections may be closed or on another node. */
  readonly connection: RealtimeConnection | undefined;
  /** Name of the topic, such as `chat:lobby`; empty for connection hooks, which belong to no topic. */
  readonly topic: string;
  /** The gateway's pattern, such as `chat:{room}`; empty for connection hooks. */
  readonly pattern: string;
  /** The pattern's parameters, such as `{ room: 'lobby' }`. */
  readonly params: Readonly<Record<string, string>>;
  /** Type of the message, if the event is a message. */
  readonly type?: string | undefined;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

const BRAND = Symbol.for('nestjs-realtime:HandlerContext');

/** The only implementation. Its brand distinguishes it from foreign arguments, also when the package is loaded twice. */
export class HandlerContext implements RealtimeContext {
  /** Made with the first look at the signal: most handlers never take it. */
  #controller: AbortController | undefined;
  #cancelled: RealtimeCancelledError | undefined;

  constructor(
    readonly event: HandlerEvent,
    readonly connection: RealtimeConnection | undefined,
    readonly topic: string = '',
    readonly pattern: string = '',
    readonly params: Readonly<Record<string, string>> = NO_PARAMS,
    readonly type?: string | undefined,
  ) {}

  /** Returns the signal that is aborted when the call is cancelled. */
  cancelSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** Returns true if the handler has taken the signal. */
  watchesCancel(): boolean {
    return this.#controller !== undefined;
  }

  /** Cancels the call for good. */
  cancel(reason: CancelReason): void {
    this.#cancelled ??= new RealtimeCancelledError(reason);
    this.#controller?.abort(this.#cancelled);
  }

  /** Aborts the signal because an interceptor takes no more; one that calls the handler again gives it another signal. */
  drop(): void {
    if (this.#cancelled || !this.#controller) return;
    const dropped = this.#controller;
    this.#controller = undefined;
    dropped.abort(new RealtimeCancelledError('dropped'));
  }
}

Object.defineProperty(HandlerContext.prototype, BRAND, { value: true });

/**
 * Returns the {@link RealtimeContext} of an `ExecutionContext` or `ArgumentsHost`, for guards, interceptors, filters and
 * custom parameter decorators; `undefined` everywhere else, such as on HTTP routes.
 * @publicApi
 */
export function realtimeContextOf(host: ArgumentsHost): RealtimeContext | undefined {
  const context: unknown = host.getArgByIndex(2);
  const isOurs = typeof context === 'object' && context !== null && BRAND in context;
  return isOurs ? (context as unknown as RealtimeContext) : undefined;
}
