import { markHandler } from './handler-metadata.js';

/**
 * Is called for every connection once it is authenticated and before any of its commands; works on every provider.
 * Several such methods run one after another. What it throws refuses the connection, and so does a guard that says no.
 *
 * Enhancers work as on a topic handler, except that request-scoped global ones (`APP_GUARD` and the like) apply only on a
 * `@TopicGateway()` class. Without parameter decorators it is called with `(connection, undefined, context)`.
 * @publicApi
 */
export function OnConnect(): MethodDecorator {
  return markHandler({ kind: 'connect' });
}
