import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JwtVerifier } from '../ports/jwt-verifier.js';
import { RealtimeModule } from '../realtime.module.js';
import { startTestApp, type TestAppOptions } from './test-app.js';
import { TestJwtVerifier, testToken } from './test-jwt-verifier.js';

const verifier = { provide: JwtVerifier, useClass: TestJwtVerifier };

@Controller('hello')
class HelloController {
  @Get()
  hello() {
    return 'hello';
  }
}

@Module({ imports: [RealtimeModule.forRoot({ providers: [verifier] })], controllers: [HelloController] })
class AppModule {}

async function start(source: Parameters<typeof startTestApp>[0], options?: TestAppOptions) {
  const started = await startTestApp(source, options);
  onTestFinished(() => started.close());
  return started;
}

describe('an application under test', () => {
  it('listens on a free port of this machine', async () => {
    const [one, other] = [await start(AppModule), await start(AppModule)];
    expect([one.url === other.url, await (await fetch(`${one.url}/hello`)).text()]).toEqual([false, 'hello']);
  });

  it('takes clients', async () => {
    const { connect } = await start(AppModule);
    const client = await connect({ token: testToken('ann') });
    expect((await client.next()).payload.userId).toBe('ann');
  });

  it('takes clients at another path', async () => {
    const module = RealtimeModule.forRoot({ path: '/live', providers: [verifier] });
    const { connect } = await start(module, { path: '/live' });
    await expect(connect({ token: testToken('ann') })).resolves.toBeDefined();
  });

  it('may be one that Test.createTestingModule made', async () => {
    const compiled = await Test.createTestingModule({ imports: [RealtimeModule.forRoot({ jwt: JWT })] })
      .overrideProvider(JwtVerifier)
      .useClass(TestJwtVerifier)
      .compile();
    const { connect } = await start(compiled.createNestApplication());
    await expect(connect({ token: testToken('ann') })).resolves.toBeDefined();
  });

  it('may be one on Fastify', async () => {
    const app: INestApplication = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
    const { connect } = await start(app);
    await expect(connect({ token: testToken('ann') })).resolves.toBeDefined();
  });

  it('can be configured before it listens', async () => {
    const { url } = await start(AppModule, { configure: (app) => void app.setGlobalPrefix('api') });
    expect((await fetch(`${url}/api/hello`)).status).toBe(200);
  });

  it('closes its clients and itself', async () => {
    const started = await startTestApp(AppModule);
    const client = await started.connect({ token: testToken('ann') });
    await started.close();
    await client.nextClose();
    await expect(fetch(`${started.url}/hello`)).rejects.toThrow('fetch failed');
  });

  it('does not end the process when it cannot boot, and says why', async () => {
    await expect(startTestApp(RealtimeModule.forRoot({}))).rejects.toThrow('jwt is required');
  });
});

const JWT = { secret: 'a secret that is long enough for HS256', algorithms: ['HS256' as const] };
