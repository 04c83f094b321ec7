import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { RealtimeEvent } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import { onTestFinished } from 'vitest';
import { RealtimeGateway } from '../../lib/gateway/realtime.gateway.js';
import { RealtimeSettings } from '../../lib/options/realtime.options.js';
import { Inbox } from '../../lib/testing/inbox.js';
import { watchForCrashes } from './crash-watch.js';
import { RawClient, upgradeRequest } from './raw-client.js';
import { RawGuest } from './raw-guest.js';
import { startRealtimeApp, type Guest, type RealtimeApp, type RealtimeAppParts } from './realtime-app.js';
import { RecordingBus } from './recording-bus.js';

type Ending = Extract<RealtimeEvent, { type: 'disconnected' }>;

/** Effects of bad clients on the others. */
export interface Harm {
  /** Errors that would have ended the process. */
  readonly crashes: readonly unknown[];
  /** Resources whose number differs from before: connections, timers, listeners and the like. */
  readonly left: Readonly<Record<string, number>>;
}

export const NO_HARM: Harm = { crashes: [], left: {} };

/** How to connect as a raw guest. */
export interface RawOptions {
  readonly userId?: string;
  /** Default: one of the user's own. */
  readonly token?: string | false;
  readonly headers?: Record<string, string | undefined>;
  /** Default: that of the plain protocol. */
  readonly path?: string;
}

/** How long the server may take to forget those who are gone; it waits 5 s for the answer to a close frame. */
const SETTLE_MS = 7_000;

/** An application with one good client, and room for bad ones. */
export class Scene {
  readonly #crashes = watchForCrashes();
  readonly #serverSides = new Map<number, Socket>();
  readonly #visitors: RawClient[] = [];
  readonly #ends = new Inbox<Ending>('end of a connection');
  #before: Record<string, number> = {};
  #count = 0;
  /** The longest that a message took to the good client, in milliseconds. */
  worstMs = 0;

  private constructor(
    readonly app: RealtimeApp,
    /** Does nothing wrong. */
    readonly good: Guest,
  ) {
    this.server.on('connection', (socket: Socket) => this.#serverSides.set(socket.remotePort!, socket));
    const subscription = app.realtime.events$.subscribe((event) => {
      if (event.type === 'disconnected') this.#ends.put(event);
    });
    onTestFinished(() => subscription.unsubscribe());
  }

  /** Boots an application with the limits that the package has by itself, unless the parts say otherwise. */
  static async set(parts: RealtimeAppParts = {}): Promise<Scene> {
    const limits = { ...new RealtimeSettings({}).limits, ...parts.options?.limits };
    const ports = [{ provide: MessageBus, useClass: RecordingBus }, ...(parts.ports ?? [])];
    const app = await startRealtimeApp({ ...parts, options: { ...parts.options, limits }, ports });
    const scene = new Scene(app, await app.connectAs('good'));
    await scene.#serve();
    scene.#before = await scene.#inventory();
    return scene;
  }

  /** Opens a TCP connection that has said nothing yet. */
  async visitor(): Promise<RawClient> {
    const client = await RawClient.to(this.app.url);
    this.#visitors.push(client);
    return client;
  }

  /** Opens a raw WebSocket, as a user of its own with a good token unless told otherwise. */
  async raw({
    userId = `bad-${++this.#count}`,
    token = testToken(userId),
    headers,
    path = '/ws',
  }: RawOptions = {}): Promise<RawGuest> {
    const client = await this.visitor();
    await client.write(upgradeRequest(token === false ? path : `${path}?token=${token}`, headers));
    await client.heard(token === false ? '101 Switching Protocols' : 'realtime:welcome');
    return new RawGuest(client, userId, this.#serverSides.get(client.socket.localPort!)!);
  }

  /** Waits until the connection of a user has ended for the server; resolves with how. */
  endOf({ userId }: { readonly userId: string }): Promise<Ending> {
    return this.#ends.take(({ connection }) => connection.userId === userId);
  }

  /** Has bad clients do something, while the good one is served one message after the other. */
  async during<T>(misdeeds: () => Promise<T>): Promise<T> {
    const work = misdeeds();
    let isOver = false;
    const over = () => void (isOver = true);
    work.then(over, over);
    do await this.#serve();
    while (
      // oxlint-disable-next-line no-unmodified-loop-condition -- set when the work is over
      !isOver
    );
    return work;
  }

  /** Sends the bad clients home, serves a good one that was there and one that comes, and says what is not as it was. */
  async harm(): Promise<Harm> {
    for (const visitor of this.#visitors) visitor.socket.destroy();
    await this.#serve();
    const late = await this.app.connectAs('late');
    await late.settled();
    await late.close();
    const deadline = Date.now() + SETTLE_MS;
    let left = await this.#left();
    while (Object.keys(left).length > 0 && Date.now() < deadline) {
      await delay(10);
      left = await this.#left();
    }
    return { crashes: this.#crashes, left };
  }

  get server(): Server {
    return this.app.app.getHttpServer() as Server;
  }

  /** How many WebSockets the server holds, authenticated or not. */
  get sessions(): number {
    return this.app.app.get(RealtimeGateway).connectionCount;
  }

  async #serve(): Promise<void> {
    const start = performance.now();
    await this.app.realtime.sendToConnection(this.good.id, { type: 'served' });
    await this.good.next('served');
    this.worstMs = Math.max(this.worstMs, performance.now() - start);
    await nextTurn();
  }

  async #left(): Promise<Record<string, number>> {
    const now = await this.#inventory();
    const differences = Object.keys(now).map((name) => [name, now[name]! - this.#before[name]!] as const);
    // The test runner has timers of its own, which may come to their end meanwhile.
    const isLeft = ([name, difference]: readonly [string, number]) =>
      difference > 0 || (difference < 0 && name !== 'timers');
    return Object.fromEntries(differences.filter(isLeft));
  }

  async #inventory(): Promise<Record<string, number>> {
    const sockets = await new Promise<number>((resolve, reject) => {
      this.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
    return {
      ...(await this.app.realtime.counts()),
      sockets,
      sessions: this.sessions,
      subjects: this.app.app.get<RecordingBus>(MessageBus).subjects.size,
      timers: process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length,
      listeners: listenersOf(this.server) + listenersOf(process),
    };
  }
}

function listenersOf(emitter: NodeJS.EventEmitter): number {
  return emitter.eventNames().reduce((count, event) => count + emitter.listenerCount(event), 0);
}
