import type { Presence, PresenceChange, PresenceMember } from './presence.js';

/**
 * Makes an answer about the members of a topic agree with what its watchers were told, so that later changes can be applied to
 * it: a change that is kept until its window ends is not in the answer either.
 * @param told the last change that watchers were told, of each user whose further changes are kept
 * @returns the answer with these users as they were told. A user whose leave is kept has 0 connections; such a user is not
 *   added to a limited list
 */
export function asTold(presence: Presence, told: Iterable<PresenceChange>): Presence {
  let users: Map<string, PresenceMember> | undefined;
  let { userCount, connectionCount } = presence;
  const isLimited = presence.users.length < userCount;
  for (const { kind, userId, info } of told) {
    users ??= new Map(presence.users.map((member) => [member.userId, member]));
    const listed = users.get(userId);
    if (kind === 'left') {
      if (listed === undefined) continue;
      users.delete(userId);
      userCount -= 1;
      connectionCount -= listed.connections;
    } else if (listed || !isLimited) {
      if (listed === undefined) userCount += 1;
      users.set(userId, { userId, ...(info !== undefined && { info }), connections: listed?.connections ?? 0 });
    }
  }
  return users ? { ...presence, users: [...users.values()], userCount, connectionCount } : presence;
}
