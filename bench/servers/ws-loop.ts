import { WebSocket } from 'ws';
import { servePlainWs } from './plain-ws.js';

/** Serialised once, then `send()` to one client after the other. */
await servePlainWs((clients, json) => {
  for (const client of clients) if (client.readyState === WebSocket.OPEN) client.send(json);
});
