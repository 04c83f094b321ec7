import { markHandler } from './handler-metadata.js';

/**
 * Decides whether a connection may subscribe to the topic; a gateway without such a method lets nobody in.
 *
 * Return `true`, or `{ info }` to allow and say something about the subscriber: a name, an avatar, whatever JSON can carry
 * and everybody who may know who is in the topic may see. Everything else is a no, told to the client as `FORBIDDEN`:
 * `false`, `undefined`, any other object. So is a throw, with the code and text of what was thrown. A promise or an
 * Observable (its last value counts) may be returned as well.
 *
 * The decision is what comes out of the interceptors: a global one that wraps results must leave `context.getType() ===
 * 'ws'` alone. An exception filter may translate the error, but never turns a throw into a yes.
 *
 * `@MessageBody()` gives the payload of the subscribe command. Without parameter decorators the method is called with
 * `(connection, payload, context: RealtimeContext)`.
 * @publicApi
 */
export function OnSubscribe(): MethodDecorator {
  return markHandler({ kind: 'subscribe' });
}
