import { markHandler } from './handler-metadata.js';

/**
 * Is called after a user has left a topic: the last connection in it, on whichever node, has unsubscribed, or has dropped and
 * not come back within `presence.graceMs`; or the node that had it has crashed. Of all nodes one calls it. Its gateway
 * must have `presence: true`. Who is there when the application shuts down is not said to have left by that.
 *
 * `@MessageBody()` gives who left, a `PresenceChange` `{ kind: 'left', userId, info? }`. Everything else is as for `@OnJoin()`.
 * @publicApi
 */
export function OnLeave(): MethodDecorator {
  return markHandler({ kind: 'leave' });
}
