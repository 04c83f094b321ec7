import { Injectable } from '@nestjs/common';
import type { Server } from 'node:http';

/** Accepts connections from a server. @returns stops that again */
export type AcceptFrom = (server: Server) => () => void;

/** The way of further HTTP servers from the application to whatever accepts connections. */
@Injectable()
export class FurtherServers {
  #acceptFrom: AcceptFrom = () => () => undefined;

  /** Sets what accepts connections. Without it servers are ignored. */
  acceptedBy(acceptFrom: AcceptFrom): void {
    this.#acceptFrom = acceptFrom;
  }

  /** @returns stops accepting from the server */
  add(server: Server): () => void {
    return this.#acceptFrom(server);
  }
}
