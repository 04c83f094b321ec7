import type { Find, LeftWithoutClients, LeftWithoutNodes } from './record.js';

/** The longest time for which anything is kept in Redis after its last use, in milliseconds: positions of topics, and orders. */
const MAX_TTL_MS = 86_400_000;

/** Connections that a node has to a server of its Redis: one for commands, and one for subscriptions. */
const MAX_TO_A_SERVER = 2;

/** When all clients have gone, nodes have nothing of theirs: no session, no socket, no subscription. */
export function checkNodesWithoutClients({ nodes, counts, channels, unseen }: LeftWithoutClients, find: Find): void {
  for (const { node, objects, clientSockets, otherSockets, servers } of nodes) {
    if (objects > 0) find('leaked', `${objects} sessions and sockets in the memory of node ${node}`);
    if (clientSockets > 0) find('leaked', `${clientSockets} sockets of clients of node ${node}`);
    if (otherSockets > MAX_TO_A_SERVER * servers)
      find('leaked', `${otherSockets} sockets of node ${node} to ${servers} servers`);
  }
  for (const [what, count] of Object.entries(counts)) if (count > 0) find('leaked', `${count} ${what} by counts()`);
  for (const channel of channels) find('leaked', `channel ${channel}, without a client`);
  for (const what of unseen) find('leaked', `not to be seen: ${what}`);
}

/** When all nodes are closed, nobody is subscribed, and every key expires, within the time that the documentation names. */
export function checkServersWithoutNodes({ keys, channels, unseen }: LeftWithoutNodes, find: Find): void {
  for (const { name, ttlMs } of keys) {
    // Redis says -2 of a key that has gone meanwhile.
    if (ttlMs === -1) find('leaked', `key ${name}, which does not expire`);
    else if (ttlMs > MAX_TTL_MS) find('leaked', `key ${name}, which expires in ${ttlMs} ms`);
  }
  for (const channel of channels) find('leaked', `channel ${channel}, without a node`);
  for (const what of unseen) find('leaked', `not to be seen: ${what}`);
}
