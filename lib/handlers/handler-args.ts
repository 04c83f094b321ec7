import type { RealtimeConnection } from '../core/connection/connection.js';
import type { HandlerContext } from '../decorators/realtime-context.js';

/**
 * The arguments of every handler call, in Nest's order for WebSockets: client, payload, ours, and the pattern last.
 * The pattern is the message's type, or the event (`subscribe`, `unsubscribe`, `join`, `leave`, `update`,
 * `connect`, `disconnect`). `join`, `leave` and `update` have no connection.
 */
export type HandlerArgs = readonly [
  connection: RealtimeConnection | undefined,
  payload: unknown,
  context: HandlerContext,
  pattern: string,
];
