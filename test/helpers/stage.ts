import { randomUUID } from 'node:crypto';
import type { DeliveryReport, JwtClaims, RealtimeBackend, RealtimeEvent, RealtimeService } from 'nestjs-realtime';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { merge, type Observable } from 'rxjs';
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest';
import { startRealtimeApp, type Guest, type RealtimeApp, type RealtimeAppParts } from './realtime-app.js';

/** How many nodes there are, and over what they reach each other. */
export interface StagePlan {
  readonly nodes: number;
  readonly backend: 'memory' | 'redis' | 'redis-cluster';
}

/** Where a Redis is. */
export type StageRedis = Pick<RedisBackendOptions, 'url' | 'cluster'>;

declare module 'vitest' {
  interface ProvidedContext {
    /** What the tests of a project run on. */
    stage: StagePlan;
    /** Where the Redis of a project is, or why there is none. */
    redis: StageRedis | string;
  }
}

/** Nothing comes to a client by itself. */
const NO_HEARTBEAT = { intervalMs: 86_400_000 };

/** What may take its time elsewhere, and is waited for here. */
const QUICK = { lingerMs: 50, leaseRefreshMs: 100, leaseTtlMs: 2_000 };

const NOTHING = () => undefined;

/** A guest that knows its node. */
export type StageGuest = Guest & { readonly node: RealtimeApp };

/** One or more nodes that serve the same users. */
export class Stage {
  #connected = 0;

  private constructor(readonly nodes: readonly RealtimeApp[]) {}

  /** Boots as many nodes as the project says, all of these parts; they are closed when the test has finished, or as `finished` says. */
  static async set({ finished = onTestFinished, options, ...parts }: RealtimeAppParts = {}): Promise<Stage> {
    const plan = inject('stage');
    const backend = backendOf(plan);
    const booting = Array.from({ length: plan.nodes }, () =>
      startRealtimeApp({
        ...parts,
        options: { heartbeat: NO_HEARTBEAT, ...options },
        ...(backend && { backend }),
        finished: NOTHING,
      }),
    );
    finished(async () => {
      await Promise.all(booting.map((node) => node.then((booted) => booted.close(), NOTHING)));
    });
    const nodes = await Promise.all(booting);
    return new Stage(nodes);
  }

  /** The service of the last node. Unless it is the only one, it has connections of its own and of others to send to. */
  get realtime(): RealtimeService {
    return this.nodes.at(-1)!.realtime;
  }

  /** What happens on any node. */
  get events$(): Observable<RealtimeEvent> {
    return merge(...this.nodes.map(({ realtime }) => realtime.events$));
  }

  /** Connects a user; the first one to the first node, the next to the next. */
  async connectAs(userId: string, claims?: JwtClaims): Promise<StageGuest> {
    const node = this.nodes[this.#connected++ % this.nodes.length]!;
    return Object.assign(await node.connectAs(userId, claims), { node });
  }

  /** Has the service subscribe a connection, and takes the note about it. */
  async subscribe(guest: StageGuest, topic: string): Promise<void> {
    await this.realtime.subscribe(guest.id, topic);
    await guest.next('realtime:subscribed');
  }
}

/** One stage for all tests of a file, which leave nothing on it that others would see. */
export function sharedStage(parts: RealtimeAppParts = {}): () => Stage {
  let stage: Stage;
  let close: () => Promise<void>;
  beforeAll(async () => (stage = await Stage.set({ ...parts, finished: (given) => (close = given) })));
  afterAll(() => close());
  return () => stage;
}

/** The report of a send that has reached exactly these. */
export function reportOf(...guests: readonly StageGuest[]): DeliveryReport {
  return { recipients: guests.length, nodes: new Set(guests.map(({ node }) => node)).size, complete: true };
}

/** One backend serves all nodes: each application gets adapters of its own. */
function backendOf({ backend }: StagePlan): RealtimeBackend | undefined {
  if (backend === 'memory') return undefined;
  const redis = inject('redis');
  if (typeof redis === 'string') throw new Error(redis);
  return redisBackend({ ...redis, ...QUICK, prefix: `stage-${randomUUID()}` });
}
