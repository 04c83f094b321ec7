import { markHandler } from './handler-metadata.js';

/**
 * Is called for every connection once it is authenticated and before any of its commands; works on every provider.
 * Several such methods run one after another. What it throws refuses the connection, and so does a guard that says no.
 *
 * Enhancers work as on a topic handler, with one exception: global ones (`APP_GUARD` and the like) that are request-scoped
 * or transient apply to a `@TopicGateway()` class only, since Nest makes them for nobody else. Without parameter decorators
 * the method is called with `(connection, undefined, context)`.
 * @publicApi
 */
export function OnConnect(): MethodDecorator {
  return markHandler({ kind: 'connect' });
}
