import { markHandler } from './handler-metadata.js';

/**
 * Marks a method to be called after the shown info of a user in a topic has changed: by `updatePresence()`, by a newer
 * connection with an info of its own, or because that one left and an older one counts again. Exactly one of all nodes calls it.
 * Its gateway must have `presence: true`.
 *
 * `@MessageBody()` is a `PresenceChange` `{ kind: 'updated', userId, info? }` with the new info. Everything else is as for
 * `@OnJoin()`, and for one user and topic these hooks run one after the other.
 * @publicApi
 */
export function OnPresenceUpdate(): MethodDecorator {
  return markHandler({ kind: 'update' });
}
