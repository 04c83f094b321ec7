import 'reflect-metadata';
import {
  createParamDecorator,
  Injectable,
  ParseIntPipe,
  type CallHandler,
  type NestInterceptor,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { lastValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { barePromise } from '../../test/helpers/bare-promise.js';
import { connectionOf } from '../../test/helpers/handler-harness.js';
import { InterceptedCall } from './intercepted-call.js';
import { createHandlerPipeline, type BoundHandler } from './handler-pipeline.js';
import type { HandlerArgs } from './handler-args.js';
import { HandlerContext } from '../decorators/realtime-context.js';

class PassThrough implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler) {
    return next.handle();
  }
}

const ann = connectionOf('ann');
const stream$ = of(1, 2);
const Later = createParamDecorator(() => Promise.resolve('late'));
const BareLater = createParamDecorator(() => barePromise(new Promise((resolve) => void setImmediate(resolve, 'late'))));

@Injectable()
@UseFilters({ catch: (exception: Error) => `filtered ${exception.message}` })
class Probe {
  plain(...args: unknown[]) {
    return args;
  }
  decorated(@MessageBody() body: unknown, @ConnectedSocket() socket: unknown, @MessageBody('text') text: unknown) {
    return { body, socket, text };
  }
  async promised(@Later() late: unknown, @MessageBody() body: unknown) {
    return { late, body };
  }
  async promisedBare(@BareLater() late: unknown) {
    return { late };
  }
  piped(@MessageBody('n', ParseIntPipe) n: unknown, @ConnectedSocket() socket: unknown) {
    return { n, socket };
  }
  stream() {
    return stream$;
  }
  @UseInterceptors(new PassThrough())
  intercepted() {
    return stream$;
  }
  fail() {
    throw new Error('boom');
  }
}

@Injectable()
class Bare {
  fail() {}
}

async function bind(method: keyof Probe): Promise<BoundHandler> {
  const module = await Test.createTestingModule({ providers: [Probe] }).compile();
  return createHandlerPipeline(module.get(ExternalContextCreator))(module.get(Probe), method);
}

function argsOf(payload?: unknown): HandlerArgs {
  return [ann, payload, new HandlerContext('message', ann), 'say'];
}

describe('what this package needs of Nest beyond its public API', () => {
  it.each([
    'contextUtils',
    'createPipesFn',
    'externalErrorProxy',
    'handlerMetadataStorage',
    'interceptorsConsumer',
    'transformToResult',
  ])('has a %s in ExternalContextCreator to put our own in its place', async (field) => {
    const module = await Test.createTestingModule({}).compile();

    expect(module.get(ExternalContextCreator)).toHaveProperty(field);
  });
});

describe('a bound handler', () => {
  it('gives a method without parameter decorators the raw arguments', async () => {
    const args = argsOf({ text: 'hi' });

    expect(await (await bind('plain')).call(...args)).toEqual(args);
  });

  it('fills in the parameter decorators of @nestjs/websockets', async () => {
    const output = await (await bind('decorated')).call(...argsOf({ text: 'hi' }));

    expect(output).toEqual({ body: { text: 'hi' }, socket: ann, text: 'hi' });
  });

  it('waits for what a parameter decorator promises', async () => {
    expect(await (await bind('promised')).call(...argsOf('now'))).toEqual({ late: 'late', body: 'now' });
  });

  it('waits for a promise of another library, too', async () => {
    expect(await (await bind('promisedBare')).call(...argsOf())).toEqual({ late: 'late' });
  });

  it('sends parameters through their pipes', async () => {
    expect(await (await bind('piped')).call(...argsOf({ n: '7' }))).toEqual({ n: 7, socket: ann });
  });

  it('leaves an Observable as it is', async () => {
    expect(await (await bind('stream')).call(...argsOf())).toBe(stream$);
  });

  it('tells, once the handler has run inside its interceptors, that it streams', async () => {
    const call = (await (await bind('intercepted')).call(...argsOf())) as InterceptedCall;
    const before = call.streams;
    await lastValueFrom(call.output$);

    expect([before, call.streams]).toEqual([false, true]);
  });

  it('does not filter an exception by itself', async () => {
    const handler = await bind('fail');

    await expect(handler.call(...argsOf())).rejects.toThrow('boom');
  });

  it('gives what the filter returned for an exception', async () => {
    expect((await bind('fail')).filter(new Error('boom'), argsOf())).toBe('filtered boom');
  });

  it('gives undefined when no filter catches an exception', async () => {
    const module = await Test.createTestingModule({ providers: [Bare] }).compile();
    const handler = createHandlerPipeline(module.get(ExternalContextCreator))(module.get(Bare), 'fail');

    expect(handler.filter(new Error('boom'), argsOf())).toBeUndefined();
  });
});
