import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  JwtVerifier,
  RealtimeError,
  RealtimeModule,
  RealtimeService,
  type DeliveryReport,
  type ErrorCode,
} from 'nestjs-realtime';
import { startTestApp, TestJwtVerifier, type TestApp } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { LogRecorder } from '../../helpers/log-recorder.js';

@Controller()
class OrdersController {
  constructor(private readonly realtime: RealtimeService) {}

  @Get('fails/:code')
  fail(@Param('code') code: ErrorCode): never {
    throw new RealtimeError(code, `This is why: ${code}`, { details: 'for clients of the WebSocket' });
  }

  @Get('wrong-argument')
  send(): Promise<DeliveryReport> {
    return this.realtime.sendToUser('', { type: 'news' });
  }

  @Get('too-large')
  sendMuch(): Promise<DeliveryReport> {
    return Promise.reject(new RealtimeError('LIMIT_EXCEEDED', 'The message is larger than Redis carries.'));
  }
}

@Module({
  imports: [RealtimeModule.forRoot({ providers: [{ provide: JwtVerifier, useClass: TestJwtVerifier }] })],
  controllers: [OrdersController],
})
class AppModule {}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('an error that a controller does not catch, with %s,', (_platform, adapter) => {
  let app: TestApp;
  let log: LogRecorder;

  beforeEach(async () => {
    log = new LogRecorder();
    app = await startTestApp(await NestFactory.create(AppModule, adapter(), { logger: log }));
    onTestFinished(() => app.close());
  });

  const get = async (path: string) => {
    const response = await fetch(`${app.url}/${path}`);
    return { status: response.status, body: await response.json() };
  };

  it.each([
    ['UNAVAILABLE', 503],
    ['LIMIT_EXCEEDED', 413],
    ['FORBIDDEN', 403],
    ['RATE_LIMITED', 429],
  ])('is answered with the status of its code, and with its text: %s', async (code, statusCode) => {
    const message = `This is why: ${code}`;
    expect(await get(`fails/${code}`)).toEqual({ status: statusCode, body: { statusCode, message } });
  });

  it('is answered likewise when it is a rejection', async () => {
    expect(await get('too-large')).toMatchObject({ status: 413 });
  });

  it.each([
    ['a wrong argument', 'wrong-argument', /userId/],
    ['a failure of the server', 'fails/INTERNAL', /This is why/],
  ])('is a 500 that tells nothing and is logged when it is %s', async (_what, path, reason) => {
    const body = { statusCode: 500, message: 'Internal server error' };
    expect(await get(path)).toEqual({ status: 500, body });
    expect(log.lines).toContainEqual(expect.stringMatching(new RegExp(`^error[^]*${reason.source}`)));
  });
});
