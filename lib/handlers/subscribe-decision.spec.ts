import {
  BadGatewayException,
  ForbiddenException,
  GatewayTimeoutException,
  InternalServerErrorException,
  UnauthorizedException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { RealtimeError } from '../errors/realtime.error.js';
import { allow, type AllowOptions } from '../decorators/subscription-permit.js';
import { decideSubscribe, refusalOf } from './subscribe-decision.js';
import { toWireError } from './wire-error.js';

describe('the decision about a subscription', () => {
  it('is a yes for true', () => {
    expect(decideSubscribe(true, 'chat:lobby', 1_024)).toEqual({ allowed: true });
  });

  it.each([{ name: 'Ann' }, undefined, 0])('is a yes for { info: %o }, and has the info', (info) => {
    expect(decideSubscribe({ info }, 'chat:lobby', 1_024)).toEqual({ allowed: true, info });
  });

  it('has the info as JSON carries it, apart from the object that was returned', () => {
    const info = { name: 'Ann', since: new Date(0), secret: undefined };
    const decision = decideSubscribe({ info }, 'chat:lobby', 1_024);
    info.name = 'Bob';
    expect(decision).toEqual({ allowed: true, info: { name: 'Ann', since: '1970-01-01T00:00:00.000Z' } });
  });

  it('cannot be made with an info that is too large as JSON in UTF-8', () => {
    expect(decideSubscribe({ info: 'é'.repeat(511) }, 'chat:lobby', 1_024)).toMatchObject({ allowed: true });
    expect(() => decideSubscribe({ info: 'é'.repeat(512) }, 'chat:lobby', 1_024)).toThrow(
      /^info has 1026 bytes as JSON/,
    );
  });

  it('cannot be made with an info that JSON cannot carry', () => {
    expect(() => decideSubscribe({ info: { id: 7n } }, 'chat:lobby', 1_024)).toThrow(TypeError);
  });

  it.each([new Map([['a', 1]]), new Set([1]), () => 1, Symbol('s'), Number.NaN, Infinity])(
    'cannot be made with an info that JSON would lose: %o',
    (info) => {
      expect(() => decideSubscribe({ info }, 'chat:lobby', 1_024)).toThrow(/^info is (a |NaN|Infinity)/);
    },
  );

  it.each([undefined, {}])('is a yes for allow(%o)', (options) => {
    expect(decideSubscribe(allow(options), 'chat:lobby', 1_024)).toEqual({ allowed: true });
  });

  it('is a yes for allow(), and has the info and the data as JSON carries them', () => {
    const data = { since: new Date(0), secret: undefined };
    const decision = decideSubscribe(allow({ info: 'Ann', data }), 'chat:lobby', 1_024);
    expect(decision).toEqual({ allowed: true, info: 'Ann', data: { since: '1970-01-01T00:00:00.000Z' } });
  });

  it('has the rate of allow() in a topic that delivers the latest values', () => {
    const decision = decideSubscribe(allow({ maxRateHz: 2 }), 'map', 1_024, { slow: 'latest' });
    expect(decision).toEqual({ allowed: true, maxRateHz: 2 });
  });

  it.each([
    [{ slow: 'latest' as const }, 0],
    [{ slow: 'latest' as const }, '2'],
    [{ slow: 'drop' as const }, 2],
    [undefined, 2],
  ])('cannot be made with a rate that cannot be kept: %j, %j', (delivery, maxRateHz) => {
    const result = allow({ maxRateHz: maxRateHz as number });
    expect(() => decideSubscribe(result, 'map', 1_024, delivery)).toThrow(/^maxRateHz /);
  });

  it('cannot be made with an info of allow() that is too large, or data above 64 KiB', () => {
    const decide = (options: AllowOptions) => decideSubscribe(allow(options), 'chat:lobby', 1_024);
    expect(() => decide({ info: 'x'.repeat(1_024) })).toThrow(/^info has 1026 bytes as JSON/);
    expect(decide({ data: 'x'.repeat(65_534) })).toMatchObject({ allowed: true });
    expect(() => decide({ data: 'x'.repeat(65_535) })).toThrow('data has 65537 bytes as JSON, and 65536 are allowed');
  });

  it.each([
    [new Map(), 'data is a Map'],
    [{ of: [7n] }, 'data.of[0] is a BigInt'],
    [{ next: Promise.resolve() }, 'data.next is a Promise'],
  ])('cannot be made with data that JSON would lose: %o', (data, why) => {
    expect(() => decideSubscribe(allow({ data }), 'chat:lobby', 1_024)).toThrow(why);
  });

  it.each([
    false,
    undefined,
    null,
    1,
    'true',
    'info',
    {},
    [],
    [true],
    { allowed: true },
    { allowed: false, info: 'no' },
    { id: 7, info: 'a record' },
    Object.create({ info: 'inherited' }),
    { data: 'looks like a permit' },
    { info: 1, data: 2 },
    { ...JSON.parse(JSON.stringify(allow({ data: 1 }))) },
    Object.create(allow()),
    Object(true),
    () => true,
  ])('is a no for %o', (result) => {
    expect(decideSubscribe(result, 'chat:lobby', 1_024)).toEqual({
      allowed: false,
      error: {
        code: 'FORBIDDEN',
        message: 'Not allowed to subscribe to this topic.',
        action: 'subscribe',
        topic: 'chat:lobby',
      },
    });
  });
});

describe('what a client is told about a throw of @OnSubscribe()', () => {
  const codeOf = (exception: unknown) => refusalOf(exception, toWireError(exception)).code;

  it.each([
    new Error('connect ECONNREFUSED'),
    new TypeError('undefined is not a function'),
    'a string',
    undefined,
    new InternalServerErrorException(),
    new BadGatewayException(),
    new RealtimeError('UNAVAILABLE', 'Not now.'),
  ])('is that it may try again: %o', (exception) => {
    expect(codeOf(exception)).toBe('UNAVAILABLE');
  });

  it.each([
    [new ForbiddenException(), 'FORBIDDEN'],
    [new UnauthorizedException(), 'UNAUTHENTICATED'],
    [new RealtimeError('LIMIT_EXCEEDED', 'Full.'), 'LIMIT_EXCEEDED'],
    [new RealtimeError('INTERNAL', 'Broken.'), 'INTERNAL'],
    [new WsException('no'), 'VALIDATION_FAILED'],
    [new GatewayTimeoutException(), 'TIMEOUT'],
  ] as const)('is its own code: %o', (exception, code) => {
    expect(codeOf(exception)).toBe(code);
  });

  it('has nothing of the cause', () => {
    const { message } = refusalOf(new Error('secret'), toWireError(new Error('secret')));

    expect(message).toBe('The subscription cannot be decided on at the moment; try again.');
  });
});
