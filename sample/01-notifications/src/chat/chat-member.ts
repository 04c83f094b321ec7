import type { RealtimeConnection } from 'nestjs-realtime';

/** Somebody in a room, with the number of tabs that are open on it. */
export interface ChatMember {
  readonly userId: string;
  readonly connections: number;
}

/** Returns the owners of connections: one entry per user, by name. */
export function membersOf(connections: readonly RealtimeConnection[]): ChatMember[] {
  const counts = new Map<string, number>();
  for (const { userId } of connections) counts.set(userId, (counts.get(userId) ?? 0) + 1);
  return Array.from(counts, ([userId, count]) => ({ userId, connections: count })).sort((a, b) =>
    a.userId.localeCompare(b.userId),
  );
}
