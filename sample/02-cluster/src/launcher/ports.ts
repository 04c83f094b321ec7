import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** Outside the ephemeral ranges of Linux, macOS and Windows, so that no other process takes the port of a node that is down. */
const FREE_PORTS = [20_000, 30_000] as const;

/** Distinct free ports of 127.0.0.1: the wanted ones, or another port for each that is taken or 0. */
export async function freePorts(wanted: readonly number[]): Promise<number[]> {
  const servers: Server[] = [];
  for (const port of wanted) servers.push(await listenNear(port));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) await new Promise((closed) => server.close(closed));
  return ports;
}

async function listenNear(wanted: number): Promise<Server> {
  for (let port = wanted; ; port = 0) {
    const server = createServer().listen(port || randomInt(...FREE_PORTS), '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) return server;
  }
}
