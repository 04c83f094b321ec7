import { markHandler } from './handler-metadata.js';

/**
 * Marks a method of any provider to be called for every connection after it has closed. Several such methods run one after
 * another; an exception is logged and does not stop the others.
 *
 * `@MessageBody()` is the close code and reason, `{ code, reason }`. Without parameter decorators the method is called with
 * `(connection, { code, reason }, context)`. Enhancers work as for `@OnConnect()`.
 * @publicApi
 */
export function OnDisconnect(): MethodDecorator {
  return markHandler({ kind: 'disconnect' });
}
