import { Injectable } from '@nestjs/common';
import type { RealtimeConnection } from 'nestjs-realtime';

/** Somebody in a room, with the number of tabs that are open on it. */
export interface ChatMember {
  readonly userId: string;
  readonly connections: number;
}

/** Who is in which room, as far as this process knows. */
@Injectable()
export class ChatMembers {
  private readonly userIdsByTopic = new Map<string, Map<string, string>>();

  /** Adding a connection twice changes nothing. */
  add(topic: string, { id, userId }: RealtimeConnection): void {
    const userIds = this.userIdsByTopic.get(topic) ?? new Map<string, string>();
    this.userIdsByTopic.set(topic, userIds.set(id, userId));
  }

  remove(topic: string, { id }: RealtimeConnection): void {
    const userIds = this.userIdsByTopic.get(topic);
    userIds?.delete(id);
    if (userIds?.size === 0) this.userIdsByTopic.delete(topic);
  }

  /** One entry per user, by name. */
  list(topic: string): ChatMember[] {
    const connections = new Map<string, number>();
    for (const userId of this.userIdsByTopic.get(topic)?.values() ?? []) {
      connections.set(userId, (connections.get(userId) ?? 0) + 1);
    }
    return Array.from(connections, ([userId, count]) => ({ userId, connections: count })).sort((a, b) =>
      a.userId.localeCompare(b.userId),
    );
  }
}
