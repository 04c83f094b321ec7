import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { FaultNode } from '../../faults/load/fault-node.js';

/** One address that leads each new connection to a random node, as a load balancer does. */
export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The process id of the node that the last connection was led to. */
  node = 0;

  private constructor(nodes: () => readonly FaultNode[], random: () => number) {
    this.#server = createServer((client) => {
      const all = nodes();
      const { port, pid } = all[Math.floor(random() * all.length)]!;
      this.node = pid;
      const server = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async start(nodes: () => readonly FaultNode[], random: () => number): Promise<Balancer> {
    const balancer = new Balancer(nodes, random);
    await once(balancer.#server.listen(0, '127.0.0.1'), 'listening');
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.cut();
    await closed;
  }
}
