import 'reflect-metadata';
import { type DynamicModule, Module, type Type, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as pause } from 'node:timers/promises';
import {
  all,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeModule,
  RealtimeService,
  TopicGateway,
  type RealtimeBackend,
  type TopicGatewayOptions,
} from 'nestjs-realtime';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { TEXT } from '../dialect.js';
import { SECRET } from '../secret.js';
import { CheckedQuestion, OpenGuard } from './checked-question.js';
import { clock } from './item-clock.js';
import { control } from './server-control.js';

/** How long judgements may take, in milliseconds. */
const JUDGING_MS = 60_000;

/** How many subscriptions the application was asked about. */
let judged = 0;

/** Returns the gateway of the topics to which clients subscribe. */
function roomsWith(features: TopicGatewayOptions): Type {
  @TopicGateway('room:{number}', features)
  class Rooms {
    @OnSubscribe()
    enter(): boolean {
      judged += 1;
      return true;
    }
  }
  return Rooms;
}

/** The gateway that answers the requests of clients. */
@TopicGateway('desk:{number}')
class Desk {
  @OnMessage('plain', { requireSubscription: false })
  plain(@MessageBody() question: object) {
    return question;
  }

  @OnMessage('items', { requireSubscription: false })
  items() {
    return clock.items();
  }

  @OnMessage('checked', { requireSubscription: false })
  @UseGuards(OpenGuard)
  @UsePipes(new ValidationPipe({ whitelist: true }))
  checked(@MessageBody() question: CheckedQuestion) {
    return question;
  }
}

/** The limits that a benchmark's clients from one address would hit; all other limits keep their defaults. */
const limits = {
  acceptsPerSecond: Infinity,
  maxUnauthenticatedPerIp: Infinity,
  maxConnections: Infinity,
  maxTopicsPerConnection: Infinity,
  commandsPerSecond: Infinity,
  commandBurst: Infinity,
};

@Module({ providers: [Desk] })
class AppModule {}

/**
 * An ordinary application with this package.
 * @param cluster what makes it a node of many; nothing when it is the only one
 * @param features what its rooms have
 * @param imports further modules
 * @param flushMs for how long the items of its published streams are collected; default: that of the package
 * @returns its address
 */
export async function serveRealtime(
  cluster?: { readonly backend: RealtimeBackend; readonly report?: boolean },
  features: TopicGatewayOptions = {},
  imports: readonly DynamicModule[] = [],
  flushMs?: number,
): Promise<string> {
  const options = {
    path: '/ws',
    jwt: { secret: SECRET, algorithms: ['HS256' as const] },
    limits,
    centrifuge: true,
    // Each change is measured, also that of a user who left a moment ago.
    ...(features.presence && { presence: { coalesceMs: 0 } }),
    ...cluster,
  };
  const providers = [roomsWith(features)];
  const root = { module: AppModule, imports: [RealtimeModule.forRoot(options), ...imports], providers };
  const app = await NestFactory.create(root, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const realtime = app.get(RealtimeService);
  const http = app.getHttpServer() as Server;
  await control({
    port: (http.address() as AddressInfo).port,
    publish: (topic, { seq, ts, text }) => {
      // As with the others, the topic is in the message, where there is one.
      const message = { type: 'tick', payload: { seq, ts, text } };
      void (topic === undefined ? realtime.broadcast(message) : realtime.publish(topic, message));
    },
    keep: async (topic, count) => {
      const message = (seq: number) => ({ type: 'tick', payload: { seq, ts: Date.now() * 1_000, text: TEXT } });
      const reports = await Promise.all(
        Array.from({ length: count }, (_, seq) => realtime.publish(topic, message(seq))),
      );
      const { epoch, offset } = reports.at(-1) ?? (await realtime.history(topic, { limit: 0 }));
      return { epoch: epoch!, offset: offset! };
    },
    stream: (topic) => void realtime.stream(topic, () => clock.items(), { ...(flushMs !== undefined && { flushMs }) }),
    judge: async (subscriptions) => {
      const before = judged;
      const deadline = performance.now() + JUDGING_MS;
      await realtime.changeRights(all(), { roles: ['member', `judged-${before}`] });
      const count = () => judged - before;
      while (count() < subscriptions && performance.now() < deadline) await pause(1);
      return count();
    },
    ...(features.presence && { users: async (topic: string) => (await realtime.usersIn(topic)).userCount }),
    connections: async () =>
      // Each node reports its own counts; those of other nodes would be seconds old here.
      cluster ? promisify(http.getConnections.bind(http))() : (await realtime.counts()).connections,
  });
  return app.getUrl();
}
