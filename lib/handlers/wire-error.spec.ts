import {
  BadRequestException,
  ForbiddenException,
  HttpException,
  ImATeapotException,
  NotFoundException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { RealtimeError } from '../errors/realtime.error.js';
import { textOfTold, toWireError } from './wire-error.js';

describe('what a client is told about an exception', () => {
  it('is everything that a RealtimeError has, but its cause', () => {
    const error = new RealtimeError('RATE_LIMITED', 'Slow down.', {
      details: { limit: 5 },
      retryAfterMs: 100,
      cause: new Error('secret'),
    });

    expect(toWireError(error)).toEqual({
      code: 'RATE_LIMITED',
      message: 'Slow down.',
      details: { limit: 5 },
      retryAfterMs: 100,
    });
  });

  it('has the action and the topic where there are any', () => {
    expect(toWireError(new RealtimeError('FORBIDDEN', 'No.'), { action: 'message', topic: 'chat:lobby' })).toEqual({
      code: 'FORBIDDEN',
      message: 'No.',
      action: 'message',
      topic: 'chat:lobby',
    });
  });

  it('has the code of the status, the status, the text and the body of an HttpException', () => {
    expect(toWireError(new ForbiddenException('Members only'))).toEqual({
      code: 'FORBIDDEN',
      message: 'Members only',
      httpStatus: 403,
      details: { statusCode: 403, error: 'Forbidden', message: 'Members only' },
    });
  });

  it('joins a list of texts', () => {
    const exception = new BadRequestException(['text must be a string', 'text is too long']);

    expect(toWireError(exception).message).toBe('text must be a string; text is too long');
  });

  it('has the body that Nest makes of an HttpException with a bare text', () => {
    expect(toWireError(new HttpException('Gone away', 410, { errorCode: 'E7' })).details).toEqual({
      statusCode: 410,
      message: 'Gone away',
      errorCode: 'E7',
    });
  });

  it('has the name of an HttpException whose body holds no text', () => {
    const { message, details } = toWireError(new NotFoundException({ reason: 7 }));

    expect([message, details]).toEqual(['Not Found Exception', { reason: 7 }]);
  });

  it('has nothing of an error that an HttpException was given as its response', () => {
    const told = toWireError(new HttpException(new Error('password=1'), 503));

    expect(told).toEqual({
      code: 'UNAVAILABLE',
      message: 'Service Unavailable',
      httpStatus: 503,
      details: { statusCode: 503, message: 'Service Unavailable' },
    });
  });

  it('is VALIDATION_FAILED for a status that has no code of its own', () => {
    expect(toWireError(new ImATeapotException()).code).toBe('VALIDATION_FAILED');
  });

  it('has the text of a WsException', () => {
    expect(toWireError(new WsException('Bad move'))).toEqual({ code: 'VALIDATION_FAILED', message: 'Bad move' });
  });

  it('has the code and the object of a WsException with one of our codes', () => {
    expect(toWireError(new WsException({ code: 'FORBIDDEN', message: 'Not your turn', turn: 'bob' }))).toEqual({
      code: 'FORBIDDEN',
      message: 'Not your turn',
      details: { code: 'FORBIDDEN', message: 'Not your turn', turn: 'bob' },
    });
  });

  it('is VALIDATION_FAILED for a WsException with a code that is none of ours', () => {
    expect(toWireError(new WsException({ code: 'constructor', message: 'Odd' })).code).toBe('VALIDATION_FAILED');
  });

  it.each([new TypeError('password=1'), 'password=1', undefined, { code: 'FORBIDDEN', message: 'password=1' }])(
    'is INTERNAL with a fixed text for anything else (%o)',
    (thrown) => {
      expect(toWireError(thrown)).toEqual({
        code: 'INTERNAL',
        message: 'The server failed to handle this; its log has the reason.',
      });
    },
  );
});

it.each([
  [new NotFoundException('There is no such model.'), 'There is no such model.'],
  [new WsException('Bad move'), 'Bad move'],
  [new RealtimeError('LIMIT_EXCEEDED', 'Too much.'), 'Too much.'],
  [new Error('password=1'), undefined],
  ['password=1', undefined],
])('the text of %o for a client is %s', (thrown, expected) => {
  expect(textOfTold(thrown)).toBe(expected);
});
