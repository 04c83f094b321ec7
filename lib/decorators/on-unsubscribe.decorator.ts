import { markHandler } from './handler-metadata.js';

/**
 * Marks a method to be called after a connection has left the topic for any reason: by command, by the server, because
 * `@OnSubscribe()` no longer allows it, or because the connection closed. The return value is ignored; an exception is
 * logged. Without parameter decorators the method is called with `(connection, undefined, context: RealtimeContext)`.
 * @publicApi
 */
export function OnUnsubscribe(): MethodDecorator {
  return markHandler({ kind: 'unsubscribe' });
}
