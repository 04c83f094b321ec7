import 'reflect-metadata';
import { Module, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import { createSecretKey } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, type Server } from 'ws';
import { SECRET } from '../secret.js';
import { CheckedQuestion, OpenGuard } from './checked-question.js';
import { Members } from './members.js';
import { control, type Tick } from './server-control.js';

/** As Nest's documentation has it: a loop over the clients of the `ws` server. */
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

/** A `KeyObject`: with a secret as a string, `jsonwebtoken` first tries to read a public key in it, at 300 µs for each token. */
const secret = createSecretKey(Buffer.from(SECRET)) as unknown as Buffer;

/** The same, and the token in the query is verified when a client has connected. */
class VerifiedTickGateway extends TickGateway implements OnGatewayConnection {
  readonly #jwt = new JwtService({ secret, verifyOptions: { algorithms: ['HS256'] } });
  readonly #users = new WeakMap<WebSocket, unknown>();

  handleConnection(client: WebSocket, { url = '' }: IncomingMessage): void {
    try {
      const token = new URL(url, 'ws://localhost').searchParams.get('token') ?? '';
      this.#users.set(client, this.#jwt.verify(token));
    } catch {
      client.close(4001);
    }
  }
}

/** An application with a gateway of `@nestjs/platform-ws`. @param verifies whether each client needs a token that holds */
export async function serveNestWs(verifies: boolean): Promise<void> {
  const Gateway = verifies ? VerifiedTickGateway : TickGateway;
  WebSocketGateway({ path: '/ws' })(Gateway);
  const root = { module: AppModule, providers: [Gateway] };
  const app = await NestFactory.create(root, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const gateway = app.get(Gateway);
  await control({
    port: (app.getHttpServer().address() as AddressInfo).port,
    publish: (topic, tick) => gateway.publish(topic, tick),
    connections: () => gateway.size,
  });
}

@Module({})
class AppModule {}
