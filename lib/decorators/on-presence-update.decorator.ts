import { markHandler } from './handler-metadata.js';

/**
 * Is called after another info is shown of a user in a topic: `updatePresence()` was called, a newer connection came with
 * its own info, or left and an older one counts again. Of all nodes one calls it. Its gateway must have `presence: true`.
 *
 * `@MessageBody()` gives the new info, as a `PresenceChange` `{ kind: 'updated', userId, info? }`; the rest is as for
 * `@OnJoin()`, and for one user and topic these hooks run one after the other.
 * @publicApi
 */
export function OnPresenceUpdate(): MethodDecorator {
  return markHandler({ kind: 'update' });
}
