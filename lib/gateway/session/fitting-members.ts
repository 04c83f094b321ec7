import type { Presence } from '../../core/presence/presence.js';

/** Bytes of a listed user beside the id and the info, at most, in either protocol. */
const OVERHEAD_BYTES = 48;

/** How often an answer holds the id of a user, at most: the SDKs' protocol has it as user, as client and as key. */
const IDS_PER_USER = 3;

/** Limits the list of users in an answer by bytes, as it is written as JSON. The counts stay exact. */
export function fittingMembers(presence: Presence, maxBytes: number): Presence {
  const { users } = presence;
  let bytes = 0;
  let count = 0;
  for (const { userId, info } of users) {
    bytes += OVERHEAD_BYTES + IDS_PER_USER * jsonBytesOf(userId) + (info === undefined ? 0 : jsonBytesOf(info));
    if (bytes > maxBytes) break;
    count += 1;
  }
  return count < users.length ? { ...presence, users: users.slice(0, count) } : presence;
}

function jsonBytesOf(value: unknown): number {
  // Functions and symbols have no text as JSON.
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
