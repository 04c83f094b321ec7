import type { Presence, PresenceChange, PresenceMember } from './presence.js';

/**
 * Adds the changes that were heard since the members of a topic were read: watchers may have been told them already.
 * @param heard the last change that was heard of each user
 * @returns the members with these changes; a user who has joined counts with one connection. Such a user is not added to a
 *   limited list
 */
export function asHeard(presence: Presence, heard: Iterable<PresenceChange>): Presence {
  let users: Map<string, PresenceMember> | undefined;
  let { userCount, connectionCount } = presence;
  const isLimited = presence.users.length < userCount;
  for (const { kind, userId, info } of heard) {
    users ??= new Map(presence.users.map((member) => [member.userId, member]));
    const listed = users.get(userId);
    if (kind === 'left') {
      if (listed === undefined) continue;
      users.delete(userId);
      userCount -= 1;
      connectionCount -= listed.connections;
    } else if (listed || !isLimited) {
      const connections = listed?.connections ?? 1;
      if (listed === undefined) [userCount, connectionCount] = [userCount + 1, connectionCount + 1];
      users.set(userId, { userId, ...(info !== undefined && { info }), connections });
    }
  }
  return users ? { ...presence, users: [...users.values()], userCount, connectionCount } : presence;
}
