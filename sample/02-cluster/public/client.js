import { server } from './server.js';

const { Centrifuge } = globalThis;

/** Goes to the node that the page talks to: the SDK has one address, which a load balancer would make enough. */
class NodeSocket extends WebSocket {
  constructor(address) {
    super(Object.assign(new URL(address), { host: server.name }));
  }
}

/**
 * A client of the Centrifuge SDK that tries the next node whenever it has lost one or could not reach it. `getToken()`
 * logs in; `onState({ name, ... })` is told `connecting`, `online` (with `connectionId`), `waiting` (with `code` and
 * `reason`) or `stopped` (with both, too), which is for good.
 */
export function createClient(getToken, onState) {
  const address = new URL('/ws/connection/websocket', server.origin);
  address.protocol = address.protocol.replace('http', 'ws');
  const client = new Centrifuge(address.href, { websocket: NodeSocket, getToken });

  client.on('connecting', ({ code, reason }) => {
    const isFirst = code === 0;
    if (isFirst) return onState({ name: 'connecting' });
    server.lost();
    onState({ name: 'waiting', code, reason });
  });
  client.on('error', () => {
    if (client.state === Centrifuge.State.Connecting) server.lost();
  });
  client.on('connected', ({ client: connectionId }) => onState({ name: 'online', connectionId }));
  client.on('disconnected', ({ code, reason }) => {
    const isOwnWish = code === 0;
    if (!isOwnWish) onState({ name: 'stopped', code, reason });
  });
  return client;
}
