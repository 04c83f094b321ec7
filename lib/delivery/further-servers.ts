import { Injectable } from '@nestjs/common';
import type { Server } from 'node:http';

/** Accepts connections from a server. @returns a function that stops accepting from it */
export type AcceptFrom = (server: Server) => () => void;

/** Passes further HTTP servers of the application to the component that accepts connections. */
@Injectable()
export class FurtherServers {
  #acceptFrom: AcceptFrom = () => () => undefined;

  /** Sets the function that accepts connections. Without it servers are ignored. */
  acceptedBy(acceptFrom: AcceptFrom): void {
    this.#acceptFrom = acceptFrom;
  }

  /** @returns a function that stops accepting from the server */
  add(server: Server): () => void {
    return this.#acceptFrom(server);
  }
}
