import { markHandler } from './handler-metadata.js';

/**
 * Marks a method of any provider to be called for every connection after authentication and before its first command.
 * Several such methods run one after another. An exception refuses the connection, and so does a guard that denies access.
 *
 * Enhancers work as on a topic handler, with one exception: global ones (`APP_GUARD` and the like) that are request-scoped
 * or transient apply only to `@TopicGateway()` classes, because Nest creates them for no other class. Without parameter
 * decorators the method is called with `(connection, undefined, context)`.
 * @publicApi
 */
export function OnConnect(): MethodDecorator {
  return markHandler({ kind: 'connect' });
}
