import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Node's default for `headersTimeout`, in milliseconds. Any other value was set by the application and stays. */
const NODE_HEADERS_TIMEOUT_MS = 60_000;

/** The time limit for the head of a request where the application has kept Node's default, in milliseconds. */
const HEADERS_TIMEOUT_MS = 15_000;

/** The interval for checking whether the server has begun to close, in milliseconds. */
const WATCH_MS = 50;

/** Events that an HTTP server emits when the head of a request is complete and a response follows. */
const ANSWERED: ReadonlySet<string | symbol> = new Set(['request', 'checkContinue', 'checkExpectation']);

/** Events after which the socket belongs to their listener. */
const HANDED_OVER: ReadonlySet<string | symbol> = new Set(['upgrade', 'connect']);

/**
 * Tracks the sockets of an HTTP server that have no complete request. A closing server waits for them, but stops its own
 * timeout for heads at that moment, so that one unfinished head would block a shutdown for ever.
 */
export class RequestHeads {
  readonly #waiting = new Set<Duplex>();
  readonly #busy = new WeakMap<Duplex, number>();
  readonly #event: 'secureConnection' | 'connection';
  readonly #await = (socket: Duplex): void => this.#wait(socket);
  /** One for all sockets: each is a connection, and there may be very many of them. */
  readonly #forget: (this: Duplex) => void;
  #watch: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    if (server.headersTimeout === NODE_HEADERS_TIMEOUT_MS) server.headersTimeout = HEADERS_TIMEOUT_MS;
    // Over TLS, requests arrive on another socket than the accepted one, whose timeout Node handles.
    this.#event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
    server.on(this.#event, this.#await);
    const waiting = this.#waiting;
    this.#forget = function () {
      waiting.delete(this);
    };
  }

  /** Takes note of an event of the server. Call it for every event, before the server's own listeners run. */
  observe(event: string | symbol, args: readonly unknown[]): void {
    const { socket } = Object(args[0]) as { socket?: Duplex };
    if (!socket) return;
    if (HANDED_OVER.has(event)) this.#handOver(socket);
    else if (ANSWERED.has(event)) this.#answering(socket, args[1] as ServerResponse);
  }

  /**
   * Once the server begins to close, destroys the sockets without a complete request, including those that finish a response
   * later. Does not interrupt responses.
   */
  endWhenClosing(): void {
    this.#watch ??= setInterval(() => this.#endIfClosing(), WATCH_MS);
  }

  /** Stops tracking the server. */
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
    socket.on('close', this.#forget);
  }

  #handOver(socket: Duplex): void {
    this.#waiting.delete(socket);
    socket.off('close', this.#forget);
  }

  #answering(socket: Duplex, response: ServerResponse): void {
    this.#waiting.delete(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      // With pipelining, a socket has several requests at a time.
      const left = this.#busy.get(socket)! - 1;
      this.#busy.set(socket, left);
      if (left === 0 && !socket.destroyed) this.#waiting.add(socket);
    });
  }
}
