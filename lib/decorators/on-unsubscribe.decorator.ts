import { markHandler } from './handler-metadata.js';

/**
 * Is called after a connection has left the topic, however that came about: by command, by the server, because
 * `@OnSubscribe()` does not allow it any more, or because it closed. What it returns is ignored; what it
 * throws is logged. Without parameter decorators it is called with `(connection, undefined, context: RealtimeContext)`.
 * @publicApi
 */
export function OnUnsubscribe(): MethodDecorator {
  return markHandler({ kind: 'unsubscribe' });
}
