import { UsePipes, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { IsString } from 'class-validator';
import { OnMessage, OnSubscribe, TopicGateway, type RealtimeConnection } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

class SayDto {
  @IsString()
  text!: string;
}

@TopicGateway('chat:{room}')
class ChatTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('say')
  @UsePipes(new ValidationPipe({ whitelist: true }))
  say(_client: RealtimeConnection, dto: SayDto) {
    return dto;
  }
}

class JoinDto {
  @IsString()
  password!: string;
}

@TopicGateway('vault:{name}')
class VaultTopic {
  @OnSubscribe()
  open(_client: RealtimeConnection, dto: JoinDto) {
    return typeof dto.password === 'string';
  }
}

describe('a handler that is called with (connection, payload, context)', () => {
  it.each([
    ['is never called with a payload that its pipe refuses', 12_345, { code: 'VALIDATION_FAILED' }],
    ['is called without what its pipe strips', 'hi', { text: 'hi' }],
  ])('%s', async (_what, text, expected) => {
    const app = await startRealtimeApp({ providers: [ChatTopic] });
    const ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'chat:lobby' });
    const message = { action: 'message', topic: 'chat:lobby', type: 'say', payload: { text, isAdmin: true } };
    const { payload } = await ann.request(message);
    expect(payload).toMatchObject(expected);
    expect(payload).not.toHaveProperty('isAdmin');
  });

  it('refuses a subscription whose payload a global pipe refuses', async () => {
    const pipe = { provide: APP_PIPE, useValue: new ValidationPipe() };
    const app = await startRealtimeApp({ providers: [VaultTopic, pipe] });
    const ann = await app.connectAs('ann');
    const reply = await ann.request({ action: 'subscribe', topic: 'vault:a', payload: { password: 7 } });
    expect(reply.payload).toMatchObject({ code: 'VALIDATION_FAILED', message: 'password must be a string' });
  });
});
