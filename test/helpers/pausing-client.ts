import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { testToken } from 'nestjs-realtime/testing';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { RealtimeApp } from './realtime-app.js';

/** Where a client stands in a topic. */
interface Place {
  offset: number;
  /** How often it was told that publications were lost. */
  losses: number;
  /** The first frame that does not follow the one before. */
  violation: string | undefined;
}

/** A client that can stop reading, and judges what it gets of topics that keep a history. */
export class PausingClient {
  readonly #places = new Map<string, Place>();
  /** The number of answers to commands. */
  answers = 0;
  /** The close code, once the connection has ended. */
  closedWith: number | undefined;

  private constructor(
    private readonly ws: WebSocket,
    /** The server's end of the same TCP connection. */
    readonly serverSide: Socket,
  ) {
    ws.on('message', (data: Buffer) => this.#heard(data.toString()));
    ws.on('close', (code) => (this.closedWith = code));
  }

  /** Connects a user; the client is gone when the test has finished. */
  static async to({ app, url }: Pick<RealtimeApp, 'app' | 'url'>, userId: string): Promise<PausingClient> {
    const sockets = socketsOf(app.getHttpServer() as Server);
    const ws = new WebSocket(new URL(`/ws?token=${testToken(userId)}`, url));
    onTestFinished(() => ws.terminate());
    await new Promise((resolve, reject) => ws.once('message', resolve).once('error', reject));
    const { localPort } = (ws as unknown as { readonly _socket: Socket })._socket;
    return new PausingClient(ws, sockets.get(localPort!)!);
  }

  /** Subscribes from a position. */
  recover(topic: string, epoch: string, offset: number): void {
    this.ask({ action: 'subscribe', topic, recover: { epoch, offset } });
  }

  /** Sends a command that is answered. */
  ask(command: object): void {
    this.ws.send(JSON.stringify({ ...command, id: 1 }));
  }

  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }

  /** Where it stands in a topic. */
  placeIn(topic: string): Readonly<Place> {
    return this.#placeIn(topic);
  }

  #placeIn(topic: string): Place {
    let place = this.#places.get(topic);
    if (place === undefined) this.#places.set(topic, (place = { offset: -1, losses: 0, violation: undefined }));
    return place;
  }

  #heard(text: string): void {
    const { type, id, topic, offset, payload } = JSON.parse(text);
    if (id !== undefined) this.answers += 1;
    if (type === 'realtime:subscribed') {
      const place = this.#placeIn(payload.topic);
      place.offset = payload.offset;
      if (payload.recovered === false) place.losses += 1;
    } else if (topic !== undefined) {
      const place = this.#placeIn(topic);
      if (offset !== place.offset + 1) place.violation ??= `${offset} behind ${place.offset}`;
      place.offset = offset;
    }
  }
}

const SOCKETS = new WeakMap<Server, Map<number, Socket>>();

/** The sockets of a server since the first call, by the port of the client. */
function socketsOf(server: Server): Map<number, Socket> {
  const known = SOCKETS.get(server) ?? new Map<number, Socket>();
  if (!SOCKETS.has(server)) {
    SOCKETS.set(server, known);
    server.on('connection', (socket: Socket) => known.set(socket.remotePort!, socket));
  }
  return known;
}
