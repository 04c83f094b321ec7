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
  type OnGatewayInit,
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
  readonly #users = new WeakMap<WebSocket, Claims>();

  handleConnection(client: WebSocket, request: IncomingMessage): void {
    this.verified(client, request);
  }

  /** Verifies the token of a client. @returns its claims; `undefined` for a client that is refused */
  protected verified(client: WebSocket, { url = '' }: IncomingMessage): Claims | undefined {
    try {
      const token = new URL(url, 'ws://localhost').searchParams.get('token') ?? '';
      const claims = this.#jwt.verify<Claims>(token);
      this.#users.set(client, claims);
      return claims;
    } catch {
      client.close(4001);
      return undefined;
    }
  }
}

/** The claims of a token that the gateways use. */
interface Claims {
  readonly sub: string;
  readonly exp: number;
}

/** A client of {@link ManagedTickGateway}. */
interface Managed {
  readonly userId: string;
  readonly address: string;
  readonly expiresAtMs: number;
  isAlive: boolean;
}

const HEARTBEAT_MS = 25_000;
const MAX_PER_USER = 20;

/**
 * The same, and what an application that uses it in production adds, in the few lines in which that can be done: the client is
 * told that it is in and as whom, its sockets are found by its user, who may have so many, addresses are counted, peers that
 * do not answer are ended as the README of `ws` shows, and connections end with their token.
 */
class ManagedTickGateway extends VerifiedTickGateway implements OnGatewayInit {
  readonly #clients = new Map<WebSocket, Managed>();
  readonly #ofUser = new Map<string, Set<WebSocket>>();
  readonly #ofAddress = new Map<string, number>();

  afterInit(): void {
    setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  override handleConnection(client: WebSocket, request: IncomingMessage): void {
    const claims = this.verified(client, request);
    if (claims === undefined) return;
    const { sub: userId, exp } = claims;
    const sockets = this.#ofUser.get(userId);
    if (sockets && sockets.size >= MAX_PER_USER) return client.close(4029);
    const address = request.socket.remoteAddress ?? '';
    const managed = { userId, address, expiresAtMs: exp * 1_000, isAlive: true };
    if (sockets) sockets.add(client);
    else this.#ofUser.set(userId, new Set([client]));
    this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1);
    this.#clients.set(client, managed);
    client.on('pong', () => (managed.isAlive = true));
    client.on('error', () => client.terminate());
    const expiresAt = new Date(managed.expiresAtMs).toISOString();
    const data = { userId, expiresAt, heartbeatMs: HEARTBEAT_MS, sentAt: new Date().toISOString() };
    client.send(JSON.stringify({ event: 'welcome', data }));
  }

  override handleDisconnect(client: WebSocket): void {
    super.handleDisconnect(client);
    const managed = this.#clients.get(client);
    if (managed === undefined) return;
    const { userId, address } = managed;
    this.#clients.delete(client);
    const sockets = this.#ofUser.get(userId);
    if (sockets?.delete(client) && sockets.size === 0) this.#ofUser.delete(userId);
    const others = (this.#ofAddress.get(address) ?? 1) - 1;
    if (others > 0) this.#ofAddress.set(address, others);
    else this.#ofAddress.delete(address);
  }

  #beat(): void {
    const now = Date.now();
    for (const [client, managed] of this.#clients) {
      if (now >= managed.expiresAtMs) client.close(4003);
      else if (!managed.isAlive) client.terminate();
      else {
        managed.isAlive = false;
        client.ping();
      }
    }
  }
}

const GATEWAYS = { plain: TickGateway, verified: VerifiedTickGateway, managed: ManagedTickGateway };

/** An application with a gateway of `@nestjs/platform-ws`. @param kind whether clients need a token that holds, and how much is kept of each */
export async function serveNestWs(kind: keyof typeof GATEWAYS): Promise<void> {
  const Gateway = GATEWAYS[kind];
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
