import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { Members } from './members.js';
import { control, type Tick } from './server-control.js';

/** Publishes to all nodes, this one included; without a topic a message is for all connections. */
export interface Relay {
  publish(topic: string | undefined, json: string): void;
  listen(deliver: (topic: string | undefined, json: string) => void): Promise<void>;
}

/**
 * A server on `ws` alone, written as one writes it by hand; what is measured is how it sends.
 * @param send writes one message, given as JSON, to all of these clients
 * @param relay left out where there is one node
 */
export async function servePlainWs(
  send: (clients: Iterable<WebSocket>, json: string) => void,
  relay?: Relay,
): Promise<void> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws', perMessageDeflate: false });
  const members = new Members<WebSocket>();
  wss.on('connection', (client) => {
    client.on('error', () => client.terminate());
    client.on('close', () => members.leaveAll(client));
    client.on('message', (frame: Buffer) => {
      const { event, data } = JSON.parse(frame.toString()) as { event: string; data: Tick };
      if (event === 'plain') client.send(JSON.stringify({ event, data }));
      else if (event === 'subscribe') {
        members.join(client, data.topic);
        client.send('{"event":"subscribed"}');
      }
    });
  });
  const deliver = (topic: string | undefined, json: string) =>
    send(topic === undefined ? wss.clients : members.of(topic), json);
  await relay?.listen(deliver);
  if (!wss.address()) await once(wss, 'listening');
  const publish = (topic: string | undefined, json: string) =>
    relay ? relay.publish(topic, json) : deliver(topic, json);
  await control({
    port: (wss.address() as AddressInfo).port,
    publish: (topic, data) => publish(topic, JSON.stringify({ event: 'tick', data })),
    connections: () => wss.clients.size,
  });
}
