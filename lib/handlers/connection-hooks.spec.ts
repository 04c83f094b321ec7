import 'reflect-metadata';
import { ForbiddenException, Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bootHandlers, collectLogs, connectionOf } from '../../test/helpers/handler-harness.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { CurrentConnection } from '../decorators/current-connection.decorator.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnDisconnect } from '../decorators/on-disconnect.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { ConnectionClose } from './handler.dispatcher.js';
import type { RealtimeContext } from '../decorators/realtime-context.js';

const ann = connectionOf('ann');
const CLOSE = { code: 1001, reason: 'going away' };

@Injectable()
class Journal {
  readonly entries: unknown[] = [];
}

@Injectable()
class Greeter {
  constructor(private readonly journal: Journal) {}

  @OnConnect()
  async slow(@CurrentConnection() me: RealtimeConnection) {
    await new Promise((resolve) => setImmediate(resolve));
    this.journal.entries.push(`slow ${me.userId}`);
  }

  @OnConnect()
  fast() {
    this.journal.entries.push('fast');
    return of('ignored');
  }

  @OnDisconnect()
  bye(@MessageBody() close: ConnectionClose, @MessageBody('code') code: number) {
    this.journal.entries.push({ close, code });
  }

  @OnDisconnect()
  raw(connection: RealtimeConnection, close: ConnectionClose, context: RealtimeContext) {
    this.journal.entries.push([connection.userId, close, context]);
  }
}

/** Boots with one more provider, and gives the dispatcher with the journal of the greeter. */
async function bootBeside(...others: (new () => object)[]) {
  const journal = new Journal();
  const providers = [...others, Greeter, { provide: Journal, useValue: journal }];
  return { dispatcher: await bootHandlers({ providers }), entries: journal.entries };
}

/** A provider whose hook throws. */
function failing(exception: unknown): new () => object {
  class Failing {
    @OnConnect()
    @OnDisconnect()
    fail() {
      throw exception;
    }
  }
  return Failing;
}

describe('a new connection', () => {
  it('is told to every @OnConnect method, one after another', async () => {
    const { dispatcher, entries } = await bootBeside();
    await dispatcher.connected(ann);

    expect(entries).toEqual(['slow ann', 'fast']);
  });

  it('is told to topic gateways, too', async () => {
    const seen: string[] = [];
    @TopicGateway('chat:{room}')
    class ChatTopic {
      @OnConnect()
      hello(connection: RealtimeConnection) {
        seen.push(connection.userId);
      }
    }
    await (await bootHandlers({ providers: [ChatTopic] })).connected(ann);

    expect(seen).toEqual(['ann']);
  });

  it('is refused with the RealtimeError that a hook throws', async () => {
    const error = new RealtimeError('LIMIT_EXCEEDED', 'Too many tabs.');
    const { dispatcher } = await bootBeside(failing(error));

    await expect(dispatcher.connected(ann)).rejects.toBe(error);
  });

  it('is refused with the code and text of the exception that a hook throws', async () => {
    const { dispatcher } = await bootBeside(failing(new ForbiddenException('Banned')));

    await expect(dispatcher.connected(ann)).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'Banned' });
  });

  it('is refused with INTERNAL when a hook fails unforeseen', async () => {
    collectLogs();
    const { dispatcher } = await bootBeside(failing(new TypeError('secret')));

    await expect(dispatcher.connected(ann)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('secret'),
    });
  });

  it('is told to no further hook once one has refused it', async () => {
    const { dispatcher, entries } = await bootBeside(failing(new ForbiddenException()));
    await dispatcher.connected(ann)?.catch(() => {});

    expect(entries).toEqual([]);
  });

  it('is refused by the guard of a hook', async () => {
    @Injectable()
    class Nobody implements CanActivate {
      canActivate = () => false;
    }
    class Guarded {
      @OnConnect()
      @UseGuards(Nobody)
      hello() {}
    }
    const { dispatcher } = await bootBeside(Guarded);

    await expect(dispatcher.connected(ann)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a closed connection', () => {
  it('is told to every @OnDisconnect method, with how it closed', async () => {
    const { dispatcher, entries } = await bootBeside();
    await dispatcher.disconnected(ann, CLOSE);

    expect(entries).toEqual([
      { close: CLOSE, code: 1001 },
      ['ann', CLOSE, { event: 'disconnect', connection: ann, topic: '', pattern: '', params: {}, type: undefined }],
    ]);
  });

  it('is told to the other hooks when one fails', async () => {
    collectLogs();
    const { dispatcher, entries } = await bootBeside(failing(new Error('boom')));
    await dispatcher.disconnected(ann, CLOSE);

    expect(entries).toHaveLength(2);
  });

  it('logs the hook that failed', async () => {
    const logs = collectLogs();
    const { dispatcher } = await bootBeside(failing('a string'));
    await dispatcher.disconnected(ann, CLOSE);

    expect(logs).toEqual(['Failing.fail failed: a string']);
  });
});
