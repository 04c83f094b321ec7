import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type ServerOptions } from 'socket.io';
import { clock } from './item-clock.js';
import { control } from './server-control.js';

/**
 * Rooms and emits of socket.io, without long polling.
 * @param options what makes it a node of many
 * @param isVolatile true: messages may be left out for clients that cannot take them
 */
export async function serveSocketIo(
  options: Partial<Pick<ServerOptions, 'adapter'>> = {},
  isVolatile = false,
): Promise<void> {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false, ...options });
  io.on('connection', (socket) => {
    socket.on('subscribe', async ({ topic }: { topic: string }) => {
      await socket.join(topic);
      socket.emit('subscribed');
    });
    socket.on('plain', (data: object, answer: (data: object) => void) => answer(data));
    socket.on('items', async () => {
      for await (const item of clock.items()) socket.emit('item', item);
      socket.emit('end');
    });
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  await control({
    port: (http.address() as AddressInfo).port,
    publish: (topic, tick) => {
      const to = topic === undefined ? io : io.to(topic);
      (isVolatile ? to.volatile : to).emit('tick', tick);
    },
    stream: (topic) => void stream(io, topic),
    connections: () => io.engine.clientsCount,
  });
}

async function stream(io: Server, topic: string): Promise<void> {
  for await (const item of clock.items()) io.to(topic).emit('item', item);
  io.to(topic).emit('end');
}
