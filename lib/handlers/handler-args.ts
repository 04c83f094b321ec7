import type { RealtimeConnection } from '../core/connection.js';
import type { HandlerContext } from '../decorators/realtime-context.js';

/**
 * The arguments of every handler call, in Nest's order for WebSockets: client, payload, ours, and the pattern last.
 * The pattern is the message's type, or what happened (`subscribe`, `unsubscribe`, `connect`, `disconnect`).
 */
export type HandlerArgs = readonly [
  connection: RealtimeConnection,
  payload: unknown,
  context: HandlerContext,
  pattern: string,
];
