import 'reflect-metadata';
import { Module, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { AddressInfo } from 'node:net';
import type { Server, Socket } from 'socket.io';
import { endWith, from, map, type Observable } from 'rxjs';
import { CheckedQuestion, OpenGuard } from './checked-question.js';
import { clock, type Item } from './item-clock.js';
import { control, type Tick } from './server-control.js';

/** socket.io behind a Nest gateway, without long polling. What a handler returns is its acknowledgement. */
@WebSocketGateway({ transports: ['websocket'], serveClient: false })
class TickGateway {
  @WebSocketServer()
  private readonly server!: Server;

  @SubscribeMessage('subscribe')
  async subscribe(@MessageBody() { topic }: { topic: string }, @ConnectedSocket() client: Socket) {
    await client.join(topic);
    return { event: 'subscribed', data: 1 };
  }

  @SubscribeMessage('plain')
  plain(@MessageBody() data: object) {
    return data;
  }

  @SubscribeMessage('checked')
  @UseGuards(OpenGuard)
  @UsePipes(new ValidationPipe({ whitelist: true }))
  checked(@MessageBody() data: CheckedQuestion) {
    return data;
  }

  @SubscribeMessage('items')
  items(): Observable<{ readonly event: string; readonly data?: Item }> {
    return from(clock.items()).pipe(
      map((data) => ({ event: 'item', data })),
      endWith({ event: 'end' }),
    );
  }

  async stream(topic: string): Promise<void> {
    for await (const item of clock.items()) this.server.to(topic).emit('item', item);
    this.server.to(topic).emit('end');
  }

  publish(topic: string | undefined, tick: Tick): void {
    (topic === undefined ? this.server : this.server.to(topic)).emit('tick', tick);
  }

  get size(): number {
    return this.server.engine.clientsCount;
  }
}

@Module({ providers: [TickGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new IoAdapter(app));
await app.listen(0, '127.0.0.1');
const gateway = app.get(TickGateway);
await control({
  port: (app.getHttpServer().address() as AddressInfo).port,
  publish: (topic, tick) => gateway.publish(topic, tick),
  stream: (topic) => void gateway.stream(topic),
  connections: () => gateway.size,
});
