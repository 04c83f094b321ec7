import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  CurrentConnection,
  MessageBody,
  OnJoin,
  OnLeave,
  OnPresenceUpdate,
  OnSubscribe,
  RealtimeService,
  TopicGateway,
  type PresenceChange,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { onTestFinished } from 'vitest';
import { PresencePictures } from '../../../lib/delivery/presence-pictures.js';
import { startRealtimeApp, type Guest, type RealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';
import type { RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';

export const ROOM = 'room:1';

/** A node with its own way to Redis, and what its hooks were called for. */
export interface PresenceApp extends RealtimeApp {
  readonly proxy: TcpProxy;
  /** `joined ann`, in their order. */
  readonly hooks: readonly string[];
  /** `online ann`. */
  readonly events: readonly string[];
}

/** Watchers are told every change, so that tests see each of them. */
const EVERY_CHANGE = { online: true, graceMs: 1_000, coalesceMs: 0 };

/** @param isBlind true for the twin: gaps are not looked for */
export async function startPresenceApp(
  redis: RedisServer,
  over: Partial<RedisBackendOptions> = {},
  parts: RealtimeAppParts = {},
  isBlind = false,
): Promise<PresenceApp> {
  const hooks: string[] = [];

  @TopicGateway('room:{id}', { presence: true })
  class RoomTopic {
    @OnSubscribe()
    enter(@CurrentConnection() me: RealtimeConnection, @MessageBody() info?: unknown) {
      if (info === 'no') return false;
      return info === undefined ? { info: { name: me.userId } } : { info };
    }

    @OnJoin()
    @OnLeave()
    @OnPresenceUpdate()
    changed(@MessageBody() { kind, userId }: PresenceChange) {
      hooks.push(`${kind} ${userId}`);
    }
  }

  const events: string[] = [];

  @Injectable()
  class Listener implements OnModuleInit {
    constructor(private readonly realtime: RealtimeService) {}

    onModuleInit(): void {
      this.realtime.events$.subscribe((event) => {
        if (event.type === 'online' || event.type === 'offline') events.push(`${event.type} ${event.userId}`);
      });
    }
  }

  const proxy = await startTcpProxy(redis.port);
  const backend = redisBackend({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 1_000, ...over });
  let close = async () => {};
  const app = await startRealtimeApp({
    ...parts,
    options: { presence: EVERY_CHANGE, ...parts.options },
    backend,
    providers: [RoomTopic, Listener],
    finished: (end) => (close = end),
  });
  onTestFinished(() => close());
  if (isBlind) blind(app);
  return Object.assign(app, { proxy, hooks, events });
}

function blind({ app }: RealtimeApp): void {
  const pictures = app.get(PresencePictures, { strict: false });
  pictures.stop();
  const news: PresencePictures['hear'] = (_topic, { at: _place, ...change }) => [change];
  Object.assign(pictures, { hear: news, doubtAll: () => undefined });
}

/** A client that keeps a running picture of who is in the room, from the answer and the news after it. */
export class Watcher {
  readonly users = new Map<string, unknown>();
  /** `joined ann`, in their order. */
  readonly news: string[] = [];
  readonly odd: string[] = [];
  resets = 0;

  /** Users in the answer whose join may still come, once: changes that were under way come up to the watcher's own join. */
  readonly #answered: Set<string>;

  private constructor(
    readonly guest: Guest,
    private readonly userId: string,
    users: readonly { userId: string; info?: unknown }[],
  ) {
    for (const { userId: id, info } of users) this.users.set(id, info);
    this.#answered = new Set(this.users.keys());
  }

  static async join(app: RealtimeApp, userId: string): Promise<Watcher> {
    const guest = await app.connectAs(userId);
    await guest.request({ action: 'subscribe', topic: ROOM, presence: true });
    const { payload } = await guest.request({ action: 'presence', topic: ROOM });
    return new Watcher(guest, userId, payload.users as { userId: string; info?: unknown }[]);
  }

  /** Takes what has arrived. */
  async picture(): Promise<string[]> {
    while (this.guest.pending.length > 0) {
      const { type, payload } = await this.guest.next();
      const kind = type.slice('realtime:'.length);
      const userId = (payload as { userId?: string } | undefined)?.userId ?? '';
      if (kind === 'presence-reset') this.resets += 1;
      if (kind !== 'joined' && kind !== 'left' && kind !== 'updated') continue;
      const isAnswered = kind === 'joined' && this.#answered.delete(userId);
      if (!isAnswered && (kind === 'joined') === this.users.has(userId)) this.odd.push(`${kind} ${userId}`);
      if (userId === this.userId) this.#answered.clear();
      this.news.push(`${kind} ${userId}`);
      if (kind === 'left') this.users.delete(userId);
      else this.users.set(userId, payload.info);
    }
    return [...this.users.keys()].sort();
  }
}

/** The users in the room, as reported by a node. */
export async function usersOf({ realtime }: RealtimeApp): Promise<string[]> {
  return (await realtime.usersIn(ROOM)).users.map(({ userId }) => userId).sort();
}
