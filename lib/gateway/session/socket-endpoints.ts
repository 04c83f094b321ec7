import { SafeLogger } from '../../errors/safe-logger.js';
import type { ServedWebSocket, SocketHandlers } from '../socket/served-web-socket.js';
import { endFailed, type Disconnectable } from './connection-failure.js';

const logger = new SafeLogger('RealtimeGateway');

const ENDPOINT = Symbol('the endpoint of a socket');

/** The receiver of a socket's events. */
export interface SocketListener extends Disconnectable {
  readonly socket: { closing(): void };
  receive(data: Buffer, isBinary: boolean): void;
  /** Takes a ping frame. */
  pinged(): void;
  /** Takes a pong frame. */
  ponged(data: Buffer): void;
  /** Handles the closed socket. Fulfils when the application's hooks have run. */
  closed(code: number, reason: string): Promise<void>;
}

/** The WebSocket of an endpoint. */
type OwnedSocket = ServedWebSocket & { [ENDPOINT]?: SocketListener };

/** The endpoints of this node. Their sockets share the same handlers, so that a connection adds neither a listener nor a closure. */
export class SocketEndpoints<T extends SocketListener> {
  readonly open = new Set<T>();
  /** Endpoints whose socket is gone and whose hooks still run. */
  readonly leaving = new Set<T>();
  readonly #handlers: SocketHandlers = {
    message: onMessage,
    ping: onPing,
    pong: onPong,
    error: onError,
    closing: onClosing,
    close: onCloseOf(this),
  };

  /** Keeps an endpoint until its socket has closed and its hooks have run. */
  add(endpoint: T, ws: ServedWebSocket): void {
    (ws as OwnedSocket)[ENDPOINT] = endpoint;
    this.open.add(endpoint);
    ws.handlers = this.#handlers;
  }
}

function onMessage(this: OwnedSocket, data: Buffer, isBinary: boolean): void {
  const endpoint = this[ENDPOINT]!;
  try {
    endpoint.receive(data, isBinary);
  } catch (error) {
    endFailed(endpoint, error);
  }
}

function onPong(this: OwnedSocket, data: Buffer): void {
  const endpoint = this[ENDPOINT]!;
  try {
    endpoint.ponged(data);
  } catch (error) {
    endFailed(endpoint, error);
  }
}

function onPing(this: OwnedSocket): void {
  const endpoint = this[ENDPOINT]!;
  try {
    endpoint.pinged();
  } catch (error) {
    endFailed(endpoint, error);
  }
}

/** See `ServedWebSocket`. */
function onClosing(this: OwnedSocket): void {
  const endpoint = this[ENDPOINT]!;
  try {
    endpoint.socket.closing();
  } catch (error) {
    endFailed(endpoint, error);
  }
}

/** After an error, `ws` destroys the socket and emits `close`. */
function onError(error: Error): void {
  logger.debug(`A socket failed: ${error.message}`);
}

function onCloseOf<T extends SocketListener>({
  open,
  leaving,
}: SocketEndpoints<T>): (this: OwnedSocket, code: number, reason: Buffer) => void {
  return function (code, reason) {
    const endpoint = this[ENDPOINT] as T;
    open.delete(endpoint);
    leaving.add(endpoint);
    endpoint
      .closed(code, reason.toString())
      .catch((error: unknown) => logger.error('Cleaning up after a closed connection failed', (error as Error)?.stack))
      .finally(() => leaving.delete(endpoint));
  };
}
