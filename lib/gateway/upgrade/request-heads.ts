import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Node's own default, in milliseconds: applications that want another value have set it. */
const NODE_HEADERS_TIMEOUT_MS = 60_000;

/** How long the head of a request may take where the application has left Node's default, in milliseconds. */
const HEADERS_TIMEOUT_MS = 15_000;

/** How often it is looked whether the server has begun to close, in milliseconds. */
const WATCH_MS = 50;

/** Events of an HTTP server that come once the head of a request is complete, and are answered. */
const ANSWERED: ReadonlySet<string | symbol> = new Set(['request', 'checkContinue', 'checkExpectation']);

/** Those after which the socket is somebody else's. */
const HANDED_OVER: ReadonlySet<string | symbol> = new Set(['upgrade', 'connect']);

/**
 * Knows the sockets of an HTTP server that have no complete request. Node waits for them when it closes, and stops its own
 * timeout for heads at that moment, so one unfinished head would hold a shutdown for ever.
 */
export class RequestHeads {
  readonly #waiting = new Set<Duplex>();
  readonly #busy = new WeakMap<Duplex, number>();
  readonly #event: 'secureConnection' | 'connection';
  readonly #await = (socket: Duplex): void => this.#wait(socket);
  #watch: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    if (server.headersTimeout === NODE_HEADERS_TIMEOUT_MS) server.headersTimeout = HEADERS_TIMEOUT_MS;
    // Over TLS requests come on another socket than the one that was accepted; that one is Node's to time out.
    this.#event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
    server.on(this.#event, this.#await);
  }

  /** To be told of every event of the server, before its listeners are. */
  observe(event: string | symbol, args: readonly unknown[]): void {
    const { socket } = Object(args[0]) as { socket?: Duplex };
    if (!socket) return;
    if (HANDED_OVER.has(event)) this.#waiting.delete(socket);
    else if (ANSWERED.has(event)) this.#answering(socket, args[1] as ServerResponse);
  }

  /**
   * From the moment on in which the server closes, ends the sockets that have no complete request, also those that come to
   * that later. Requests that are being answered are left alone.
   */
  endWhenClosing(): void {
    this.#watch ??= setInterval(() => this.#endIfClosing(), WATCH_MS);
  }

  /** Forgets the server. */
  stop(): void {
    this.server.off(this.#event, this.#await);
    if (this.#watch === undefined) return;
    clearInterval(this.#watch);
    this.#endIfClosing();
  }

  #endIfClosing(): void {
    if (this.server.listening) return;
    for (const socket of this.#waiting) socket.destroy();
  }

  #wait(socket: Duplex): void {
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
  }

  #answering(socket: Duplex, response: ServerResponse): void {
    this.#waiting.delete(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      // Requests may be sent before the one before them is answered.
      const left = this.#busy.get(socket)! - 1;
      this.#busy.set(socket, left);
      if (left === 0 && !socket.destroyed) this.#waiting.add(socket);
    });
  }
}
