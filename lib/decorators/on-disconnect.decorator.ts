import { markHandler } from './handler-metadata.js';

/**
 * Is called for every connection after it has closed; works on every provider. Several such methods run one after
 * another; what one throws is logged and does not keep the others from running.
 *
 * `@MessageBody()` gives how the connection closed, `{ code, reason }`. Without parameter decorators the method is called
 * with `(connection, { code, reason }, context)`. Enhancers work as for `@OnConnect()`.
 * @publicApi
 */
export function OnDisconnect(): MethodDecorator {
  return markHandler({ kind: 'disconnect' });
}
