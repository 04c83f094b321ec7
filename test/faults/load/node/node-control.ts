import 'reflect-metadata';
import { Module, type INestApplication, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  all,
  JwtVerifier,
  RealtimeModule,
  RealtimeService,
  type DeliveryReport,
  type MessageInput,
  type Presence,
  type RealtimeCounts,
  type RealtimeOptions,
  type PublishOptions,
  type StreamOutcome,
  type TopicStream,
  user,
} from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { TestJwtVerifier } from 'nestjs-realtime/testing';
import type { AddressInfo, Server } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { queryObjects } from 'node:v8';
import { ServedWebSocket } from '../../../../lib/gateway/socket/served-web-socket.js';
import { Session } from '../../../../lib/gateway/session/session.js';
import { SocketEndpoint } from '../../../../lib/gateway/session/socket-endpoint.js';
import { WsConnectionSocket } from '../../../../lib/gateway/socket/ws-connection-socket.js';
import { Diary } from './diary.js';
import { Door } from './door.js';
import { spoil, type Flaw } from './flaws.js';
import { Halls } from './halls.js';
import { Log } from './log.js';
import { placeThrough, type Ways } from './place-through.js';
import { Rooms } from './rooms.js';
import { SkewedClock } from './skewed-clock.js';
import { STAND_INS, type StandIn } from './stand-ins.js';

/** The parts of a node. */
export interface NodeSpec {
  /** Without `jwt` it takes the tokens of `testToken()`. */
  readonly options?: RealtimeOptions;
  /** Default: it is the only node. */
  readonly redis?: RedisBackendOptions;
  /** Where it reaches servers of a Redis Cluster or behind sentinels: `{ '127.0.0.1:6379': { host, port } }`. Default: where they are. */
  readonly ways?: Ways;
  /** A file: the node serves topics with presence, and appends to it each hook that it calls and each warning. Default: neither. */
  readonly diary?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly standIns?: readonly StandIn[];
  readonly flaws?: readonly Flaw[];
  /** Records the times of accepted upgrades until they are read. Default: `false`. */
  readonly isDoorWatched?: boolean;
}

/** The memory and objects of a node after a garbage collection. */
export interface Leftovers {
  readonly heapBytes: number;
  /** Outside of the heap, which is where what waits to be written is. */
  readonly externalBytes: number;
  /** Sessions and sockets, of the package and of `ws`, that are reachable. */
  readonly objects: number;
  /** Sockets that the system knows of. */
  readonly openSockets: number;
  readonly timers: number;
}

/** How often a node with a diary looks whether it is attached, in milliseconds. */
const WATCH_MS = 20;

/** How an application was closed. */
export interface Closing {
  /** How long `app.close()` took, in milliseconds. */
  readonly ms: number;
  /** When connections ended, in milliseconds from its beginning. */
  readonly departuresMs: readonly number[];
}

/** A request to the node in a separate process; see {@link FaultNode.ask}. */
export class NodeControl {
  #app: INestApplication | undefined;
  #door: Door | undefined;
  #diary: Diary | undefined;
  readonly #told = new Map<string, TopicStream>();
  readonly #clock = new SkewedClock();
  readonly #errors: string[] = [];
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 5 });

  /** @returns the port it listens on */
  async boot(spec: NodeSpec): Promise<number> {
    const { options = {}, redis, ways, port = 0, standIns = [], flaws = [], isDoorWatched, diary } = spec;
    flaws.forEach(spoil);
    const verifier = options.jwt ? [] : [{ provide: JwtVerifier, useClass: TestJwtVerifier }];
    const clock = diary === undefined ? [] : [{ provide: Clock, useValue: this.#clock }];
    const providers = [...verifier, ...clock, ...standIns.map((name) => STAND_INS[name])];
    if (diary !== undefined) this.#diary = new Diary(diary);
    const halls = this.#diary ? [Halls, { provide: Diary, useValue: this.#diary }] : [];

    const realtime = {
      ...options,
      providers,
      ...(redis && { backend: redisBackend(ways ? placeThrough(redis, ways) : redis) }),
    };

    @Module({ imports: [RealtimeModule.forRoot(realtime)], providers: [Rooms, Log, ...halls] })
    class AppModule {}

    this.#app = await NestFactory.create(AppModule, { logger: this.#logger(), abortOnError: false });
    this.#app.enableShutdownHooks(['SIGTERM']);
    this.#realtime.events$.subscribe((event) => {
      if (event.type === 'online') this.#diary?.hook('joined', '(online)', event.userId);
      else if (event.type === 'offline') this.#diary?.hook('left', '(online)', event.userId);
    });
    if (isDoorWatched) this.#door = new Door(this.#app.getHttpServer());
    await this.#app.listen(port, '127.0.0.1');
    this.#loopDelay.enable();
    this.#watchAttachment();
    return (this.#app.getHttpServer().address() as AddressInfo).port;
  }

  counts(): Promise<RealtimeCounts> {
    return this.#realtime.counts();
  }

  /** The times of accepted upgrades since the last call, if they are recorded: {@link Door}. */
  async letIn(): Promise<readonly number[]> {
    return this.#door?.take() ?? [];
  }

  /** The log lines at the levels error and warn. */
  async errors(): Promise<readonly string[]> {
    return this.#errors;
  }

  /** Puts every connection of a user on these topics. */
  async subscribe(userId: string, topics: readonly string[]): Promise<void> {
    for (const { id } of await this.#realtime.connectionsOf(userId)) {
      for (const topic of topics) await this.#realtime.subscribe(id, topic);
    }
  }

  /** Publishes the numbers from 0 on to a topic, so many in each turn of the event loop. @returns the milliseconds it took */
  async count(topic: string, upTo: number, perTurn: number, filling = ''): Promise<number> {
    const start = performance.now();
    for (let n = 0; n < upTo; n++) {
      void this.#realtime.publish(topic, { type: 'count', payload: filling ? { n, filling } : { n } });
      if (n % perTurn === perTurn - 1) await nextTurn();
    }
    return performance.now() - start;
  }

  /** Goes on publishing numbers to a topic, one every so many milliseconds. */
  async stream(topic: string, everyMs: number): Promise<void> {
    let n = 0;
    setInterval(() => void this.#realtime.publish(topic, { type: 'count', payload: { n: n++ } }), everyMs).unref();
  }

  /** Starts a published stream of numbered words, one every so many milliseconds. */
  async tell(topic: string, id: string, words: number, everyMs: number): Promise<void> {
    const source = async function* (signal: AbortSignal) {
      for (let n = 0; n < words; n++) {
        yield `${n} `;
        await delay(everyMs, undefined, { signal });
      }
    };
    this.#told.set(id, await this.#realtime.stream(topic, source, { id, flushMs: 10 }));
  }

  /** How a stream ended that was started here. */
  outcomeOf(id: string): Promise<StreamOutcome> {
    return this.#told.get(id)!.done;
  }

  stopStream(topic: string, id: string): Promise<boolean> {
    return this.#realtime.stopStream(topic, id);
  }

  /** Publishes messages of 1 KB that say when they were sent, so many each second, for so long. */
  async pour(topic: string, perSecond: number, forMs: number): Promise<'poured'> {
    const start = performance.now();
    const filling = 'x'.repeat(1_000);
    for (let sent = 0; ; await delay(2)) {
      const elapsedMs = performance.now() - start;
      for (; sent < (Math.min(elapsedMs, forMs) * perSecond) / 1_000; sent++) {
        void this.#realtime.publish(topic, { type: 'poured', payload: { at: `${process.hrtime.bigint()}`, filling } });
      }
      if (elapsedMs >= forMs) return 'poured';
    }
  }

  /** Sends each subscriber of a topic so many messages of its own, of so many characters. */
  async flood(topic: string, count: number, size: number): Promise<void> {
    for (const { id } of await this.#realtime.subscribersOf(topic)) {
      for (let n = 0; n < count; n++) {
        void this.#realtime.sendToConnection(id, { type: 'flood', payload: 'x'.repeat(size) });
      }
    }
  }

  publish(topic: string, message: MessageInput, options?: PublishOptions): Promise<DeliveryReport> {
    return this.#realtime.publish(topic, message, options);
  }

  /** Publishes one message to each of these topics. */
  async publishOnce(topics: readonly string[]): Promise<void> {
    for (const topic of topics) await this.#realtime.publish(topic, { type: 'once' });
  }

  /** The event loop stands still; nothing is read, written or timed. */
  async stall(ms: number): Promise<void> {
    // Not a busy loop, which would take the processor from the clients, too.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  /** How late the event loop was since this was last asked, in milliseconds. */
  async loopDelay(): Promise<{ readonly p99Ms: number; readonly maxMs: number }> {
    const { max } = this.#loopDelay;
    const p99 = this.#loopDelay.percentile(99);
    this.#loopDelay.reset();
    return { p99Ms: p99 / 1e6, maxMs: max / 1e6 };
  }

  /** @param isCollected true to collect the garbage first */
  async memory(isCollected = false): Promise<NodeJS.MemoryUsage> {
    if (isCollected) globalThis.gc!();
    return process.memoryUsage();
  }

  async leftovers(): Promise<Leftovers> {
    for (let times = 0; times < 3; times++) {
      await nextTurn();
      globalThis.gc!();
    }
    const { heapUsed, external } = process.memoryUsage();
    const resources = process.getActiveResourcesInfo();
    const ofType = (name: string) => resources.filter((other) => other === name).length;
    const objects = [SocketEndpoint, Session, WsConnectionSocket, ServedWebSocket].map((type) =>
      queryObjects(type, { format: 'count' }),
    );
    return {
      heapBytes: heapUsed,
      externalBytes: external,
      objects: objects.reduce((sum, count) => sum + count),
      openSockets: ofType('TCPSocketWrap'),
      timers: ofType('Timeout'),
    };
  }

  /** The sockets that the HTTP server has open, upgraded ones included. */
  clientSockets(): Promise<number> {
    const server: Server = this.#app!.getHttpServer();
    return promisify(server.getConnections.bind(server))();
  }

  /** Disconnects all clients with a code that lets them reconnect. */
  async disconnectAll(): Promise<void> {
    await this.#realtime.disconnect(all(), { reconnect: true });
  }

  /** The users in a topic with presence. */
  async usersIn(topic: string): Promise<Presence['users']> {
    return (await this.#realtime.usersIn(topic)).users;
  }

  updatePresence(topic: string, userId: string, info: unknown): Promise<boolean> {
    return this.#realtime.updatePresence(topic, userId, info);
  }

  /** Disconnects a user for good. */
  disconnect(userId: string): Promise<DeliveryReport> {
    return this.#realtime.disconnect(user(userId));
  }

  async isAttached(): Promise<boolean> {
    return this.#realtime.isAttached;
  }

  /** The clock of a node with a diary jumps: it is ahead by so many milliseconds then, or behind. */
  async jumpClock(toMs: number): Promise<void> {
    this.#clock.jump(toMs);
  }

  /** Closes the application. */
  async close(): Promise<Closing> {
    const start = performance.now();
    const departuresMs: number[] = [];
    this.#realtime.events$.subscribe(({ type }) => {
      if (type === 'disconnected') departuresMs.push(performance.now() - start);
    });
    await this.#app!.close();
    return { ms: performance.now() - start, departuresMs };
  }

  get #realtime(): RealtimeService {
    return this.#app!.get(RealtimeService);
  }

  /** Writes to the diary whenever this node begins to be attached, or to be detached. */
  #watchAttachment(): void {
    const diary = this.#diary;
    if (!diary) return;
    let was: boolean | undefined;
    const look = () => {
      const { isAttached } = this.#realtime;
      if (isAttached !== was) diary.attachment((was = isAttached));
    };
    look();
    setInterval(look, WATCH_MS).unref();
  }

  #logger(): LoggerService {
    const keep = (...parts: unknown[]) => {
      const line = parts.map(String).join(' ');
      this.#errors.push(line);
      this.#diary?.warn(line);
    };
    const ignore = () => undefined;
    return { log: ignore, debug: ignore, verbose: ignore, warn: keep, error: keep, fatal: keep };
  }
}
