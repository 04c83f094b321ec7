import { markHandler } from './handler-metadata.js';

/**
 * Is called after a user has joined a topic: with the first connection in it, on whichever node; a second tab is no join, and
 * neither is a return within `presence.graceMs`. Of all nodes one calls it. Its gateway must have `presence: true`.
 *
 * `@MessageBody()` gives who joined, a `PresenceChange` `{ kind: 'joined', userId, info? }` with the info of `@OnSubscribe()`;
 * `@TopicName()` and `@TopicParam()` the rest. There is no connection, for it may be on another node: `@CurrentConnection()`
 * stops the boot. Without parameter decorators it is called with `(undefined, change, context: RealtimeContext)`.
 *
 * For one user and topic this and `@OnLeave()` run one after the other. What it returns is ignored; what it throws is logged.
 * @publicApi
 */
export function OnJoin(): MethodDecorator {
  return markHandler({ kind: 'join' });
}
