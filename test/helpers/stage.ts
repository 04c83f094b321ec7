import { randomUUID } from 'node:crypto';
import {
  all,
  type DeliveryReport,
  type JwtClaims,
  type RealtimeBackend,
  type RealtimeEvent,
  type RealtimeService,
} from 'nestjs-realtime';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { merge, type Observable } from 'rxjs';
import { afterAll, afterEach, beforeAll, inject, onTestFinished } from 'vitest';
import { trustNewServers } from './old-servers.js';
import { startRealtimeApp, type Guest, type RealtimeApp, type RealtimeAppParts } from './realtime-app.js';

/** How many nodes there are, and over what they reach each other. */
export interface StagePlan {
  readonly nodes: number;
  readonly backend: 'memory' | 'redis' | 'redis-sentinel' | 'redis-cluster';
}

/** The address of a Redis. */
export type StageRedis = Pick<RedisBackendOptions, 'url' | 'cluster' | 'sentinel'>;

declare module 'vitest' {
  interface ProvidedContext {
    /** The backend on which the tests of a project run. */
    stage: StagePlan;
    /** The address of the project's Redis, or the reason why there is none. */
    redis: StageRedis | string;
  }
}

/** Nothing comes to a client by itself. */
const NO_HEARTBEAT = { intervalMs: 86_400_000 };

/** Shorter intervals than the defaults, because tests wait for them. */
const QUICK = { lingerMs: 50, leaseRefreshMs: 100, leaseTtlMs: 10_000 };

const NOTHING = () => undefined;

/** A guest that knows its node. */
export type StageGuest = Guest & { readonly node: RealtimeApp };

/** One or more nodes that serve the same users. */
export class Stage {
  #nodes: readonly RealtimeApp[] = [];
  #connected = 0;

  private constructor() {}

  /** Boots as many nodes as the project says, all of these parts; they are closed when the test has finished. */
  static async set(parts: RealtimeAppParts = {}): Promise<Stage> {
    const stage = new Stage();
    await stage.#boot(parts, onTestFinished);
    return stage;
  }

  /** One stage for all tests of a file; after each of them all clients are disconnected. */
  static shared(parts: RealtimeAppParts = {}): Stage {
    const stage = new Stage();
    let close = async () => {};
    beforeAll(() => stage.#boot(parts, (given) => (close = given)));
    afterEach(() => stage.#clear());
    afterAll(() => close());
    return stage;
  }

  get nodes(): readonly RealtimeApp[] {
    return this.#nodes;
  }

  /** The service of the last node. Unless it is the only one, it has connections of its own and of others to send to. */
  get realtime(): RealtimeService {
    return this.nodes.at(-1)!.realtime;
  }

  /** The events of all nodes. */
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

  async #boot({ options, ...parts }: RealtimeAppParts, finished: (close: () => Promise<void>) => void): Promise<void> {
    const plan = inject('stage');
    let distrust = () => {};
    if (plan.backend !== 'memory') trustNewServers((end) => (distrust = end));
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
      distrust();
    });
    this.#nodes = await Promise.all(booting);
  }

  /** The next one to connect is again the first. */
  async #clear(): Promise<void> {
    await this.realtime.disconnect(all());
    this.#connected = 0;
  }
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
