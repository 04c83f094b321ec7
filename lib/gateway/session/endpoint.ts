import type { ConnectionSocket } from '../../ports/connection-socket.js';
import type { Client } from './client.js';

/** The server's end of one WebSocket, as the session that is served through it sees it. */
export interface Endpoint extends Omit<Client, 'connection' | 'drained'> {
  readonly socket: HoldableSocket;
  /** Starts executing frames, beginning with those that arrived before the welcome. */
  startServing(): void;
}

/** A socket whose frames can be withheld until the welcome has gone out. */
export interface HoldableSocket extends ConnectionSocket {
  /** Keeps the frames that are sent from now on. */
  hold(): void;
  /** Returns nothing while the peer keeps up, else a promise for when no byte waits for it any more. */
  drained(): Promise<void> | undefined;
  /** Sends what `first` sends, and the kept frames behind it. */
  release(first: () => void): void;
}
