import { markHandler } from './handler-metadata.js';

/**
 * Marks the method that decides whether a connection may subscribe to the topic. A gateway without such a method refuses
 * every client.
 *
 * Return `true` to allow the subscription, or `{ info }` to allow it and describe the subscriber, for example by a name or an
 * avatar. The info can be any JSON value; everybody who may read the topic's presence can see it. `allow({ info, data })` does the same, and
 * sends `data` to the client in the answer. Any other value (`false`,
 * `undefined`, another object) refuses the subscription with `FORBIDDEN`, and an exception refuses it with its code and
 * text. The method may also return a promise or an Observable, of which the last value counts.
 *
 * The result of the interceptors decides, so a global interceptor that wraps results must skip
 * `context.getType() === 'ws'`. An exception filter may translate the error, but cannot turn it into permission.
 *
 * `@MessageBody()` is the payload of the subscribe command. Without parameter decorators the method is called with
 * `(connection, payload, context: RealtimeContext)`. The
 * payload goes through the pipes either way.
 * @publicApi
 */
export function OnSubscribe(): MethodDecorator {
  return markHandler({ kind: 'subscribe' });
}
