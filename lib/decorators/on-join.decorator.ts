import { markHandler } from './handler-metadata.js';

/**
 * Marks a method to be called after a user has joined a topic, with the user's first connection in it on any node. A second
 * tab is not a join, and neither is a return within the grace period `presence.graceMs`. Exactly one of all nodes calls it.
 * Its gateway must have `presence: true`.
 *
 * `@MessageBody()` is a `PresenceChange` `{ kind: 'joined', userId, info? }` with the info of `@OnSubscribe()`;
 * `@TopicName()` and `@TopicParam()` give the topic. There is no connection, because it may be on another node:
 * `@CurrentConnection()` stops the boot. Without parameter decorators the method is called with
 * `(undefined, change, context: RealtimeContext)`.
 *
 * For one user and topic, this method and `@OnLeave()` run one after the other. The return value is ignored; an exception is
 * logged.
 * @publicApi
 */
export function OnJoin(): MethodDecorator {
  return markHandler({ kind: 'join' });
}
