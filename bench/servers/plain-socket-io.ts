import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type ServerOptions } from 'socket.io';
import { control } from './server-control.js';

/** Rooms and emits of socket.io, without long polling. @param options what makes it a node of many */
export async function serveSocketIo(options: Partial<Pick<ServerOptions, 'adapter'>> = {}): Promise<void> {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false, ...options });
  io.on('connection', (socket) => {
    socket.on('subscribe', async ({ topic }: { topic: string }) => {
      await socket.join(topic);
      socket.emit('subscribed');
    });
    socket.on('plain', (data: object, answer: (data: object) => void) => answer(data));
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  await control({
    port: (http.address() as AddressInfo).port,
    publish: (topic, tick) => void (topic === undefined ? io : io.to(topic)).emit('tick', tick),
    connections: () => io.engine.clientsCount,
  });
}
