import type { ArgumentsHost } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';

/**
 * What a handler was called for. `reauthorize`: `@OnSubscribe()` is asked once more about a subscription there is, without a
 * payload, because the connection has other roles or permissions now: by a newer token, or by `changeRights()`.
 */
export type HandlerEvent =
  'subscribe' | 'reauthorize' | 'unsubscribe' | 'message' | 'join' | 'leave' | 'connect' | 'disconnect';

/**
 * Everything about one call of a topic handler or connection hook. It is the third argument of the method, the third
 * of an `ExecutionContext`'s arguments (see {@link realtimeContextOf}), and the `REQUEST` of request-scoped providers.
 * @publicApi
 */
export interface RealtimeContext {
  readonly event: HandlerEvent;
  /** `undefined` for `join` and `leave`, which tell of a user, whose connections may be on another node or gone. */
  readonly connection: RealtimeConnection | undefined;
  /** The topic's name, such as `chat:lobby`; empty for connection hooks, which belong to no topic. */
  readonly topic: string;
  /** The gateway's pattern, such as `chat:{room}`; empty for connection hooks. */
  readonly pattern: string;
  /** The pattern's parameters, such as `{ room: 'lobby' }`. */
  readonly params: Readonly<Record<string, string>>;
  /** The type of the message, for a message. */
  readonly type?: string;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** The one implementation; being a class, it tells our contexts from other people's arguments. */
export class HandlerContext implements RealtimeContext {
  constructor(
    readonly event: HandlerEvent,
    readonly connection: RealtimeConnection | undefined,
    readonly topic: string = '',
    readonly pattern: string = '',
    readonly params: Readonly<Record<string, string>> = NO_PARAMS,
    readonly type?: string,
  ) {}
}

/**
 * The {@link RealtimeContext} behind an `ExecutionContext` or `ArgumentsHost`, for guards, interceptors, filters and own
 * parameter decorators that care about topics; `undefined` everywhere else, such as on HTTP routes.
 * @publicApi
 */
export function realtimeContextOf(host: ArgumentsHost): RealtimeContext | undefined {
  const context: unknown = host.getArgByIndex(2);
  return context instanceof HandlerContext ? context : undefined;
}
