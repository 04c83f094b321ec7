import { Logger } from '@nestjs/common';
import type { WebSocket } from 'ws';
import type { Session } from './session.js';

const logger = new Logger('RealtimeGateway');

const SESSION = Symbol('the session of a socket');

type OwnedSocket = WebSocket & { [SESSION]?: Session };

/** The sessions of this node. They hear of what happens to their sockets by functions that all of them share. */
export class Sessions {
  readonly open = new Set<Session>();
  /** Their sockets are gone; the application's hooks are not through yet. */
  readonly leaving = new Set<Session>();
  readonly #onClose = onCloseOf(this);

  /** Takes a session in, until its socket has closed and its hooks are through. */
  add(session: Session, ws: WebSocket): void {
    (ws as OwnedSocket)[SESSION] = session;
    this.open.add(session);
    ws.on('message', onMessage);
    ws.on('pong', onPong);
    ws.on('error', onError);
    ws.on('closing', onClosing);
    ws.on('close', this.#onClose);
  }
}

/** Nothing that goes wrong with one socket may reach another, or the process. */
export function endFailed(session: Session, error: unknown): void {
  logger.error('A connection failed', (error as Error)?.stack);
  session.disconnect('SERVER_ERROR');
}

function onMessage(this: OwnedSocket, data: Buffer, isBinary: boolean): void {
  const session = this[SESSION]!;
  try {
    session.receive(data, isBinary);
  } catch (error) {
    endFailed(session, error);
  }
}

function onPong(this: OwnedSocket): void {
  this[SESSION]!.heard();
}

/** See `ServedWebSocket`. */
function onClosing(this: OwnedSocket): void {
  const session = this[SESSION]!;
  try {
    session.socket.closing();
  } catch (error) {
    endFailed(session, error);
  }
}

/** `ws` ends the socket by itself after an error; a `close` follows. */
function onError(error: Error): void {
  logger.debug(`A socket failed: ${error.message}`);
}

function onCloseOf({ open, leaving }: Sessions): (this: OwnedSocket, code: number, reason: Buffer) => void {
  return function (code, reason) {
    const session = this[SESSION]!;
    open.delete(session);
    leaving.add(session);
    session
      .ended(code, reason.toString())
      .catch((error: unknown) => logger.error('A connection failed to end', (error as Error)?.stack))
      .finally(() => leaving.delete(session));
  };
}
