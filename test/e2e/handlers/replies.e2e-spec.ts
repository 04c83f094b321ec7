import { ConflictException, HttpException, ImATeapotException, Logger, type LoggerService } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { OnMessage, OnSubscribe, RealtimeError, TopicGateway } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { of, throwError } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SafeLogger } from '../../../lib/errors/safe-logger.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, typesReceivedBy, type Guest } from '../../helpers/realtime-app.js';

/** The next action of the handler. */
let handle: () => unknown;

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('ask')
  ask() {
    return handle();
  }
}

@TopicGateway('gate')
class GateTopic {
  @OnSubscribe()
  join(): boolean {
    throw new Error('unforeseen');
  }
}

let ann: Guest;

beforeEach(async () => {
  const app = await startRealtimeApp({ providers: [DeskTopic] });
  ann = await app.connectAs('ann');
  await ann.request({ action: 'subscribe', topic: 'desk' });
});

const ASK = { action: 'message', topic: 'desk', type: 'ask' };

function ask(handler: () => unknown) {
  handle = handler;
  return ann.request(ASK);
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;

describe('what a handler returns', () => {
  it.each([
    ['null', null],
    ['0', 0],
    ['false', false],
    ['an empty string', ''],
    ['a string', 'done'],
    ['a list', [1, 2]],
    ['an object', { id: '7', nested: { at: [null] } }],
  ])('is the payload of the reply: %s', async (_what, value) => {
    expect(await ask(() => value)).toMatchObject({ type: 'realtime:reply', payload: value });
  });

  it('is awaited', async () => {
    expect(await ask(async () => 'later')).toMatchObject({ type: 'realtime:reply', payload: 'later' });
  });

  it('makes a reply without a payload when it is undefined', async () => {
    expect(Object.keys(await ask(() => undefined)).sort()).toEqual(['id', 'timestamp', 'type']);
  });

  it.each([
    ['a BigInt', () => ({ total: 1n })],
    ['a cycle', () => cycle],
    [
      'an object whose toJSON() throws',
      () => ({
        toJSON() {
          throw new Error('hunter2');
        },
      }),
    ],
  ])('is answered with INTERNAL when JSON cannot carry it: %s', async (_what, returned) => {
    collectLogs();
    const answer = await ask(returned);
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'INTERNAL', action: 'message' } });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('leaves the connection alive when JSON cannot carry it', async () => {
    collectLogs();
    await ask(() => 1n);
    expect(await ask(() => 'still here')).toMatchObject({ payload: 'still here' });
  });

  it('is logged with the message type when JSON cannot carry it', async () => {
    const logs = collectLogs();
    await ask(() => 1n);
    expect(logs).toEqual([expect.stringContaining('The reply to "ask" in "desk" cannot be serialised as JSON')]);
  });

  const lossy: [string, unknown, string][] = [
    ['a Map', new Map([['ann', 1]]), 'It is a Map; send Object.fromEntries(map)'],
    ['a Set', new Set(['ann']), 'It is a Set; send [...set]'],
    ['a function', () => 'ann', 'It is a function'],
    ['a symbol', Symbol('ann'), 'It is a symbol'],
    ['NaN', NaN, 'It is NaN'],
    ['a Map within', { a: new Map() }, 'reply.a is a Map; send Object.fromEntries(map)'],
    ['a Set in a list', { rows: [{ tags: new Set() }] }, 'reply.rows[0].tags is a Set; send [...set]'],
    ['a BigInt within', { total: 1n }, 'reply.total is a BigInt; send String(value)'],
    ['a forgotten await', { user: Promise.resolve() }, 'reply.user is a Promise; await it'],
  ];

  it.each(lossy)('is INTERNAL when JSON would lose it, and the log names the place: %s', async (_what, value, why) => {
    const logs = collectLogs();
    const answer = await ask(() => value);
    expect(answer).toMatchObject({
      type: 'realtime:error',
      payload: { code: 'INTERNAL', action: 'message', topic: 'desk' },
    });
    expect(logs).toEqual([expect.stringContaining('The reply to "ask" in "desk" cannot be serialised as JSON')]);
    expect(logs[0]).toContain(`TypeError: ${why}`);
    expect(await ask(() => 'still here')).toMatchObject({ payload: 'still here' });
  });

  it.each(lossy)(
    'ends a stream when JSON would lose an item, and the log names the place: %s',
    async (_what, value, why) => {
      const logs = collectLogs();
      expect(await ask(() => of('first', value, 'never told'))).toMatchObject({ payload: 'first' });
      expect((await ann.next('realtime:error')).payload).toMatchObject({ code: 'INTERNAL', topic: 'desk' });
      expect(logs).toEqual([
        expect.stringContaining('Item 2 of the reply to "ask" in "desk" cannot be serialised as JSON'),
      ]);
      expect(logs[0]).toContain(`TypeError: ${why}`);
      expect(await typesReceivedBy(ann)).toEqual([]);
    },
  );

  it('is not told when the message had no id', async () => {
    handle = () => 'unheard';
    ann.send(ASK);
    await ask(() => 'heard');
    expect(await typesReceivedBy(ann)).toEqual([]);
  });
});

describe('what a handler throws', () => {
  const throwing = (error: unknown) => () => {
    throw error;
  };

  it.each([
    [new ConflictException('Taken.'), 'VALIDATION_FAILED', 'Taken.'],
    [new ImATeapotException(), 'VALIDATION_FAILED', "I'm a teapot"],
    [new HttpException('Later.', 503), 'UNAVAILABLE', 'Later.'],
    [new HttpException('Broken.', 500), 'INTERNAL', 'Broken.'],
    [new WsException('No.'), 'VALIDATION_FAILED', 'No.'],
    [new RealtimeError('LIMIT_EXCEEDED', 'Too many.'), 'LIMIT_EXCEEDED', 'Too many.'],
  ])('is the error that the client is told: %o', async (error, code, message) => {
    expect(await ask(throwing(error))).toMatchObject({
      type: 'realtime:error',
      payload: { code, message, action: 'message', topic: 'desk' },
    });
  });

  it('is told as well when its promise rejects', async () => {
    const { payload } = await ask(() => Promise.reject(new ConflictException('Taken.')));
    expect(payload.message).toBe('Taken.');
  });

  it('carries the body of an HttpException', async () => {
    const { payload } = await ask(throwing(new ConflictException({ field: 'name', taken: true })));
    expect(payload.details).toEqual({ field: 'name', taken: true });
  });

  it('carries when to try again', async () => {
    const { payload } = await ask(throwing(new RealtimeError('RATE_LIMITED', 'Slow down.', { retryAfterMs: 250 })));
    expect(payload).toMatchObject({ retryable: true, retryAfterMs: 250 });
  });

  it.each([
    ['an Error', new Error('the database password is hunter2')],
    ['an Error with a cause', new Error('x', { cause: new Error('hunter2') })],
    [
      'an Error with fields',
      Object.assign(new Error('x'), { code: 'FORBIDDEN', query: 'hunter2', details: 'hunter2' }),
    ],
    ['a string', 'hunter2'],
    ['an object', { message: 'hunter2', status: 403 }],
    ['nothing', undefined],
  ])('is INTERNAL, with nothing told of it, when nobody has foreseen it: %s', async (_what, thrown) => {
    collectLogs();
    const { payload } = await ask(throwing(thrown));
    expect(payload).toEqual({
      code: 'INTERNAL',
      message: expect.not.stringContaining('hunter2'),
      retryable: false,
      action: 'message',
      topic: 'desk',
    });
  });

  it('is logged with Class.method and the stack when nobody has foreseen it', async () => {
    const logs = collectLogs();
    await ask(throwing(new TypeError('out of order')));
    expect(logs).toEqual([expect.stringMatching(/DeskTopic\.ask failed\nTypeError: out of order\n\s+at /)]);
  });

  it('is not logged when it was meant for the client', async () => {
    const logs = collectLogs();
    await ask(throwing(new ConflictException('Taken.')));
    expect(logs).toEqual([]);
  });

  it('is told without an id when the message had none', async () => {
    handle = throwing(new ConflictException('Taken.'));
    ann.send(ASK);
    const { id, payload } = await ann.next('realtime:error');
    expect([id, payload.message]).toEqual([undefined, 'Taken.']);
  });

  it('leaves the connection alive', async () => {
    collectLogs();
    await ask(throwing(new Error('x')));
    expect(await ask(() => 'still here')).toMatchObject({ payload: 'still here' });
  });

  it('is INTERNAL when its details cannot be carried by JSON', async () => {
    collectLogs();
    const { payload } = await ask(throwing(new RealtimeError('FORBIDDEN', 'No.', { details: { n: 1n } })));
    expect(payload.code).toBe('INTERNAL');
  });
});

/** Collects unhandled rejections, which the test runner would otherwise count as failures of its own. */
function soloCrashes(): readonly unknown[] {
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  });
  return watchForCrashes();
}

describe('a logger that throws', () => {
  /** Fails at every level, once the application has booted. */
  class FailingLogger implements LoggerService {
    isOn = false;
    lost = 0;
    readonly log = () => this.#write();
    readonly error = () => this.#write();
    readonly warn = () => this.#write();
    readonly debug = () => this.#write();

    #write(): void {
      if (!this.isOn) return;
      this.lost += 1;
      throw new Error('the disk is full');
    }
  }

  const unforeseen = () => {
    throw new Error('unforeseen');
  };

  it.each<[string, () => unknown]>([
    ['a handler throws', unforeseen],
    ['a handler rejects', () => Promise.reject(new Error('unforeseen'))],
    ['a stream fails', () => throwError(() => new Error('unforeseen'))],
    ['a reply is a Map', () => new Map()],
    ['a reply is a BigInt', () => 1n],
    ['an item of a stream is a Map', () => of(new Map())],
    [
      'the details of an error cannot be serialised',
      () => {
        throw new RealtimeError('FORBIDDEN', 'No.', { details: { n: 1n } });
      },
    ],
  ])('does not keep a command from its answer, nor the next one: %s', async (_what, failing) => {
    const logger = new FailingLogger();
    const app = await startRealtimeApp({ providers: [DeskTopic], logger });
    ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'desk' });
    logger.isOn = true;
    expect(await ask(failing)).toMatchObject({ type: 'realtime:error', payload: { code: 'INTERNAL' } });
    expect(await ask(() => 'still here')).toMatchObject({ type: 'realtime:reply', payload: 'still here' });
    logger.isOn = false;
    expect(logger.lost).toBeGreaterThan(0);
  });

  it('does not keep a subscribe from its answer, nor the next command', async () => {
    const logger = new FailingLogger();
    const app = await startRealtimeApp({ providers: [GateTopic, DeskTopic], logger });
    ann = await app.connectAs('ann');
    logger.isOn = true;
    const refused = await ann.request({ action: 'subscribe', topic: 'gate' });
    expect(refused).toMatchObject({ type: 'realtime:error', payload: { code: 'UNAVAILABLE' } });
    expect((await ann.request({ action: 'subscribe', topic: 'desk' })).type).toBe('realtime:subscribed');
    logger.isOn = false;
    expect(logger.lost).toBeGreaterThan(0);
  });

  it('twin: keeps commands from their answers where the plain Logger of Nest is used', async () => {
    vi.spyOn(SafeLogger.prototype, 'error').mockImplementation(Logger.prototype.error);
    onTestFinished(() => void vi.restoreAllMocks());
    const crashes = soloCrashes();
    const logger = new FailingLogger();
    const app = await startRealtimeApp({ providers: [DeskTopic], options: { drain: { timeoutMs: 100 } }, logger });
    ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'desk' });
    logger.isOn = true;
    handle = unforeseen;
    await expect(ann.request(ASK, 200)).rejects.toThrow('within 200 ms');
    handle = () => 'still here';
    await expect(ann.request(ASK, 200)).rejects.toThrow('within 200 ms');
    logger.isOn = false;
    expect(crashes).toEqual([new Error('the disk is full')]);
  });
});

describe('the id of a command', () => {
  const ids: unknown[] = [
    'a',
    'x'.repeat(64),
    '0',
    ' ',
    'größe 💥',
    '\u0000',
    '"quoted"',
    '__proto__',
    0,
    1,
    -1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ];

  it.each(ids)('comes back unchanged: %j', async (id) => {
    ann.send({ action: 'ping', id });
    expect(await ann.next('realtime:pong')).toHaveProperty('id', id);
  });

  it.each(ids)('comes back unchanged from a handler: %j', async (id) => {
    handle = () => 'done';
    ann.send({ ...ASK, id });
    expect(await ann.next('realtime:reply')).toHaveProperty('id', id);
  });

  it.each(['""', JSON.stringify('x'.repeat(65)), '1.5', '9007199254740992', '1e400', 'null', 'true', '[1]', '{}'])(
    'is refused, and the command not carried out: %s',
    async (id) => {
      handle = () => {
        throw new Error('not to be called');
      };
      ann.send(`{"action":"message","topic":"desk","type":"ask","id":${id}}`);
      const answer = await ann.next('realtime:error');
      expect([answer.id, answer.payload.code]).toEqual([undefined, 'INVALID_MESSAGE']);
    },
  );

  it('may be used again once it was answered', async () => {
    handle = () => 'done';
    for (const _time of [1, 2]) {
      ann.send({ ...ASK, id: 'again' });
      expect(await ann.next('realtime:reply')).toMatchObject({ id: 'again', payload: 'done' });
    }
  });

  it('tells the number 1 from the string "1"', async () => {
    handle = () => new Promise(() => undefined);
    ann.send({ ...ASK, id: 1 });
    ann.send({ action: 'cancel', id: '1' });
    expect(await typesReceivedBy(ann)).toEqual([]);
  });
});

describe('a command without an id', () => {
  it.each([
    { action: 'ping' },
    { action: 'auth', token: testToken('ann') },
    { action: 'unsubscribe', topic: 'desk' },
    { action: 'subscribe', topic: 'desk' },
    ASK,
  ])('is carried out but not answered: $action', async (command) => {
    handle = () => 'unheard';
    ann.send(command);
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('is carried out all the same', async () => {
    ann.send({ action: 'unsubscribe', topic: 'desk' });
    await ann.settled();
    expect((await ask(() => 'done')).payload.code).toBe('FORBIDDEN');
  });
});
