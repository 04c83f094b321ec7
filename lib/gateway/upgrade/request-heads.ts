import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Node's default for `headersTimeout`, in milliseconds. Any other value was set by the application and stays. */
const NODE_HEADERS_TIMEOUT_MS = 60_000;

/** The time limit for the head of a request where the application has kept Node's default, in milliseconds. */
const HEADERS_TIMEOUT_MS = 15_000;

/** The interval for checking whether the server has begun to close, in milliseconds. */
const WATCH_MS = 50;

/** The time that the bodies of requests have to arrive once the server has begun to close, in milliseconds. */
const BODY_GRACE_MS = 5_000;

/** Events that an HTTP server emits when the head of a request is complete and a response follows. */
const ANSWERED: ReadonlySet<string | symbol> = new Set(['request', 'checkContinue', 'checkExpectation']);

/** Events after which the socket belongs to their listener. */
const HANDED_OVER: ReadonlySet<string | symbol> = new Set(['upgrade', 'connect']);

/**
 * Tracks the sockets of an HTTP server that have no complete request: no complete TLS handshake, head or body. A closing
 * server waits for them, but stops its own timeouts at that moment, so that one of them would block a shutdown for ever.
 */
export class RequestHeads {
  readonly #waiting = new Set<Duplex>();
  /** Accepted sockets that have not finished their TLS handshake, by address and port of the peer. */
  readonly #handshakes = new Map<string, Duplex>();
  /** The latest response that is due on each socket. One that waits behind another never closes if its socket does. */
  readonly #responses = new Map<Duplex, ServerResponse>();
  /** The number of responses that are due on a socket. */
  readonly #busy = new WeakMap<Duplex, number>();
  readonly #isTls: boolean;
  readonly #await = (socket: Socket): void => this.#wait(socket);
  readonly #awaitHandshake = (socket: Socket): void => this.#waitForHandshake(socket);
  /** One for all sockets: each is a connection, and there may be very many of them. */
  readonly #forget: (this: Duplex) => void;
  #watch: NodeJS.Timeout | undefined;
  #bodyGraceMs = BODY_GRACE_MS;

  constructor(private readonly server: Server) {
    if (server.headersTimeout === NODE_HEADERS_TIMEOUT_MS) server.headersTimeout = HEADERS_TIMEOUT_MS;
    // Over TLS, requests arrive on another socket than the accepted one.
    this.#isTls = 'setSecureContext' in server;
    if (this.#isTls) server.on('connection', this.#awaitHandshake);
    server.on(this.#isTls ? 'secureConnection' : 'connection', this.#await);
    const [waiting, responses] = [this.#waiting, this.#responses];
    this.#forget = function () {
      waiting.delete(this);
      responses.delete(this);
    };
  }

  /** Takes note of an event of the server. Call it for every event, before the server's own listeners run. */
  observe(event: string | symbol, args: readonly unknown[]): void {
    const isHandedOver = HANDED_OVER.has(event);
    if (!isHandedOver && !ANSWERED.has(event)) return;
    const { socket } = Object(args[0]) as { socket?: Duplex };
    if (!socket) return;
    if (isHandedOver) this.#handOver(socket);
    else this.#answering(socket, args[1] as ServerResponse);
  }

  /**
   * Once the server begins to close, destroys the sockets without a complete head, including those that finish a response
   * later. A body has five seconds more to arrive, unless its response has begun. Does not interrupt responses.
   */
  endWhenClosing(): void {
    this.#watch ??= setInterval(() => this.#endIfClosing(), WATCH_MS);
  }

  /** The number of sockets that are tracked. */
  get tracked(): number {
    return this.#waiting.size + this.#handshakes.size + this.#responses.size;
  }

  /** Stops tracking the server. */
  stop(): void {
    this.server.off('connection', this.#awaitHandshake);
    this.server.off(this.#isTls ? 'secureConnection' : 'connection', this.#await);
    if (this.#watch === undefined) return;
    clearInterval(this.#watch);
    this.#bodyGraceMs = 0;
    this.#endIfClosing();
  }

  #endIfClosing(): void {
    if (this.server.listening) return;
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const socket of this.#waiting) socket.destroy();
    this.#bodyGraceMs -= WATCH_MS;
    if (this.#bodyGraceMs <= 0) this.#endUnfinishedBodies();
  }

  #endUnfinishedBodies(): void {
    for (const [socket, { req, headersSent }] of this.#responses) {
      // With pipelining, an earlier request of the socket may be due for a response.
      if (!req.complete && !headersSent && this.#busy.get(socket) === 1) socket.destroy();
    }
  }

  #wait(socket: Socket): void {
    if (this.#isTls) this.#handshakes.delete(peerOf(socket) ?? '');
    this.#waiting.add(socket);
    socket.on('close', this.#forget);
  }

  #waitForHandshake(socket: Socket): void {
    const peer = peerOf(socket);
    if (peer === undefined) return;
    this.#handshakes.set(peer, socket);
    socket.once('close', () => {
      if (this.#handshakes.get(peer) === socket) this.#handshakes.delete(peer);
    });
  }

  #handOver(socket: Duplex): void {
    this.#waiting.delete(socket);
    this.#responses.delete(socket);
    socket.off('close', this.#forget);
  }

  #answering(socket: Duplex, response: ServerResponse): void {
    // A listener of `checkContinue` emits `request` for the same response.
    if (this.#responses.get(socket) === response) return;
    this.#waiting.delete(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    this.#responses.set(socket, response);
    response.once('close', () => {
      if (this.#responses.get(socket) === response) this.#responses.delete(socket);
      // With pipelining, a socket has several requests at a time.
      const left = this.#busy.get(socket)! - 1;
      this.#busy.set(socket, left);
      if (left === 0 && !socket.destroyed) this.#waiting.add(socket);
    });
  }
}

/** What the accepted socket and the TLS socket above it have in common; undefined where a peer has no port. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
