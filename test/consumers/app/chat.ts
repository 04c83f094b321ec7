import { Injectable, Module, type CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import { IsString } from 'class-validator';
import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeModule,
  RealtimeService,
  TopicGateway,
  TopicName,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { parseQuery } from 'nestjs-realtime/core';
import { RealtimeInspectorModule } from 'nestjs-realtime/inspector';
import { Clock } from 'nestjs-realtime/ports';
import { TestClient } from 'nestjs-realtime/testing';

const SECRET = 'a secret of a consumer, for tests alone';

export class SayDto {
  @IsString()
  text!: string;
}

@TopicGateway('chat:{room}')
export class ChatTopic {
  // Injected by its type alone: a build without decorator metadata fails here.
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  enter() {
    return true;
  }

  @OnMessage('say')
  async say(@MessageBody() { text }: SayDto, @CurrentConnection() me: RealtimeConnection, @TopicName() topic: string) {
    await this.realtime.publish(topic, { type: 'said', payload: { from: me.userId, text } });
    return { ok: true };
  }
}

@Injectable()
export class OpenGuard implements CanActivate {
  canActivate() {
    return true;
  }
}

@Module({
  imports: [
    RealtimeModule.forRoot({ jwt: { secret: SECRET, algorithms: ['HS256'] } }),
    RealtimeInspectorModule.forRoot({ guard: OpenGuard }),
  ],
  providers: [ChatTopic],
})
export class AppModule {}

/** The package's main job: a client connects with a token, sends, and receives a message. Returns the received message. */
export async function talk(): Promise<unknown> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  try {
    if (typeof app.get(Clock).now() !== 'number' || parseQuery('/?a=b').get('a') !== 'b') throw new Error('sub-paths');
    // The files of the page are part of the package, however it was built.
    const script = await fetch(`${await app.getUrl()}/realtime/inspector.js`);
    if (!(await script.text()).includes('fleet.json')) throw new Error('the inspector');
    const token = new JwtService({ secret: SECRET }).sign({ sub: '42' }, { expiresIn: '1h' });
    const client = await TestClient.connect(`${(await app.getUrl()).replace('http', 'ws')}/ws`, { token });
    await client.request({ action: 'subscribe', topic: 'chat:lobby' });
    await client.request({ action: 'message', topic: 'chat:lobby', type: 'say', payload: { text: 'hello' } });
    const { payload } = await client.next('said');
    await client.close();
    return payload;
  } finally {
    await app.close();
  }
}
