import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const LET_IN = 'HTTP/1.1 101';

/** Records each accepted upgrade: the time of each answer with 101, in milliseconds of the server's own clock. */
export class Door {
  #moments: number[] = [];

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => this.#watch(socket));
  }

  /** The moments since this was last asked. */
  take(): readonly number[] {
    const moments = this.#moments;
    this.#moments = [];
    return moments;
  }

  #watch(socket: Socket): void {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with the socket as `this`
    const { write } = socket;
    socket.write = (...args: unknown[]): boolean => {
      socket.write = write;
      if (String(args[0]).startsWith(LET_IN)) this.#moments.push(performance.now());
      return Reflect.apply(write, socket, args) as boolean;
    };
  }
}
