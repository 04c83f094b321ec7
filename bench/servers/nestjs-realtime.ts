import 'reflect-metadata';
import { Module, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, OnMessage, OnSubscribe, RealtimeModule, RealtimeService, TopicGateway } from 'nestjs-realtime';
import type { AddressInfo } from 'node:net';
import { SECRET } from '../secret.js';
import { CheckedQuestion, OpenGuard } from './checked-question.js';
import { control } from './server-control.js';

/** What clients listen to. */
@TopicGateway('room:{number}')
class Rooms {
  @OnSubscribe()
  enter(): boolean {
    return true;
  }
}

/** What clients ask. */
@TopicGateway('desk:{number}')
class Desk {
  @OnMessage('plain', { requireSubscription: false })
  plain(@MessageBody() question: object) {
    return question;
  }

  @OnMessage('checked', { requireSubscription: false })
  @UseGuards(OpenGuard)
  @UsePipes(new ValidationPipe({ whitelist: true }))
  checked(@MessageBody() question: CheckedQuestion) {
    return question;
  }
}

/** What a crowd on one machine, in a hurry, would run into; every other limit stays as it is. */
const limits = {
  acceptsPerSecond: Infinity,
  maxUnauthenticatedPerIp: Infinity,
  maxConnections: Infinity,
  maxTopicsPerConnection: Infinity,
  commandsPerSecond: Infinity,
  commandBurst: Infinity,
};

@Module({
  imports: [RealtimeModule.forRoot({ path: '/ws', jwt: { secret: SECRET, algorithms: ['HS256'] }, limits })],
  providers: [Rooms, Desk],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');
const realtime = app.get(RealtimeService);
await control({
  port: (app.getHttpServer().address() as AddressInfo).port,
  publish: (topic, { seq, ts, text }) => {
    // As with the others, the topic is in the message, where there is one.
    const message = { type: 'tick', payload: { seq, ts, text } };
    void (topic === undefined ? realtime.broadcast(message) : realtime.publish(topic, message));
  },
  connections: async () => (await realtime.counts()).connections,
});
