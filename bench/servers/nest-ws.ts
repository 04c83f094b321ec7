import 'reflect-metadata';
import { Module, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import type { AddressInfo } from 'node:net';
import { WebSocket, type Server } from 'ws';
import { CheckedQuestion, OpenGuard } from './checked-question.js';
import { Members } from './members.js';
import { control, type Tick } from './server-control.js';

/** As Nest's documentation has it: a loop over the clients of the `ws` server. */
@WebSocketGateway({ path: '/ws' })
class TickGateway implements OnGatewayDisconnect {
  @WebSocketServer()
  private readonly server!: Server;

  readonly #members = new Members<WebSocket>();

  @SubscribeMessage('subscribe')
  subscribe(@MessageBody() { topic }: { topic: string }, @ConnectedSocket() client: WebSocket) {
    this.#members.join(client, topic);
    return { event: 'subscribed' };
  }

  @SubscribeMessage('plain')
  plain(@MessageBody() data: object) {
    return { event: 'plain', data };
  }

  @SubscribeMessage('checked')
  @UseGuards(OpenGuard)
  @UsePipes(new ValidationPipe({ whitelist: true }))
  checked(@MessageBody() data: CheckedQuestion) {
    return { event: 'checked', data };
  }

  handleDisconnect(client: WebSocket): void {
    this.#members.leaveAll(client);
  }

  publish(topic: string | undefined, data: Tick): void {
    const json = JSON.stringify({ event: 'tick', data });
    for (const client of topic === undefined ? this.server.clients : this.#members.of(topic)) {
      if (client.readyState === WebSocket.OPEN) client.send(json);
    }
  }

  get size(): number {
    return this.server.clients.size;
  }
}

@Module({ providers: [TickGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(0, '127.0.0.1');
const gateway = app.get(TickGateway);
await control({
  port: (app.getHttpServer().address() as AddressInfo).port,
  publish: (topic, tick) => gateway.publish(topic, tick),
  connections: () => gateway.size,
});
