import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { all, connection, RealtimeModule, RealtimeService } from 'nestjs-realtime';
import { startTestApp, testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen, TEST_TOKENS, welcomed } from '../../helpers/listening-app.js';

const realtime = () => RealtimeModule.forRoot({ providers: [TEST_TOKENS] });

describe('An application context without a server', () => {
  class AppModule {}

  async function standalone(): Promise<RealtimeService> {
    const module = { module: AppModule, imports: [realtime()] };
    const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    onTestFinished(() => context.close());
    return context.get(RealtimeService);
  }

  it('may send, to nobody', async () => {
    expect(await (await standalone()).sendToUser('ann', { type: 'hello' })).toEqual({
      recipients: 0,
      nodes: 0,
      complete: true,
    });
  });

  it('may publish, to nobody', async () => {
    expect(await (await standalone()).publish('news', { type: 'hello' })).toMatchObject({ recipients: 0 });
  });

  it('may give orders, to nobody', async () => {
    const service = await standalone();
    expect(await service.disconnect(all())).toMatchObject({ recipients: 0 });
  });

  it('counts nobody', async () => {
    expect(await (await standalone()).counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });

  it('reaches no connection of another application', async () => {
    const app = await listen({ imports: [realtime()] });
    const client = await app.connect({ token: testToken('ann') });
    const { payload } = await client.next('realtime:welcome');
    const report = await (await standalone()).to(connection(payload.connectionId)).send({ type: 'hello' });
    expect(report.recipients).toBe(0);
  });
});

describe('An application made by Test.createTestingModule', () => {
  it('serves the endpoint without a line more', async () => {
    const module = await Test.createTestingModule({ imports: [realtime()] }).compile();
    const app = await startTestApp(module.createNestApplication({ logger: false }));
    onTestFinished(() => app.close());
    expect(await welcomed(await app.connect({ token: testToken('ann') }))).toBe('ann');
  });
});
