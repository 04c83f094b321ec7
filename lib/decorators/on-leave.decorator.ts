import { markHandler } from './handler-metadata.js';

/**
 * Marks a method to be called after a user has left a topic: the user's last connection in it on any node has unsubscribed,
 * or dropped without a return within the grace period `presence.graceMs`, or its node has crashed. Exactly one of all nodes
 * calls it. Its gateway must have `presence: true`. The shutdown of the application is not a leave of its users.
 *
 * `@MessageBody()` is a `PresenceChange` `{ kind: 'left', userId, info? }`. Everything else is as for `@OnJoin()`.
 * @publicApi
 */
export function OnLeave(): MethodDecorator {
  return markHandler({ kind: 'leave' });
}
