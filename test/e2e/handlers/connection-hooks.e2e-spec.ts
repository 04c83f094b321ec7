import { ForbiddenException, Injectable, NotFoundException, UnauthorizedException } from '@nestjs/common';
import { CurrentConnection, MessageBody, OnConnect, OnDisconnect, OnMessage, OnSubscribe } from 'nestjs-realtime';
import { RealtimeError, RealtimeService, TopicGateway, user, type RealtimeConnection } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

type Hook = (connection: RealtimeConnection, realtime: RealtimeService) => unknown;

/** The action of the hooks, besides counting calls. */
let onConnect: Hook;
let onDisconnect: Hook;
let log: string[];

@Injectable()
class Presence {
  constructor(private readonly realtime: RealtimeService) {}

  @OnConnect()
  came(@CurrentConnection() me: RealtimeConnection) {
    log.push(`${me.userId} came`);
    return onConnect(me, this.realtime);
  }

  @OnDisconnect()
  went(@CurrentConnection() me: RealtimeConnection, @MessageBody() { code, reason }: { code: number; reason: string }) {
    log.push(`${me.userId} went ${code} ${reason}`);
    return onDisconnect(me, this.realtime);
  }
}

@Injectable()
class Audit {
  @OnConnect()
  came({ userId }: RealtimeConnection) {
    log.push(`audit: ${userId} came`);
  }

  @OnDisconnect()
  went({ userId }: RealtimeConnection, { code }: { code: number }) {
    log.push(`audit: ${userId} went ${code}`);
  }
}

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join() {
    log.push('join');
    return true;
  }

  @OnMessage('ask', { requireSubscription: false })
  ask() {
    log.push('ask');
    return 'answer';
  }
}

let app: RealtimeApp;

beforeEach(async () => {
  log = [];
  onConnect = onDisconnect = () => undefined;
  app = await startRealtimeApp({ providers: [Presence, DeskTopic] });
});

/** Connects without waiting for the welcome. */
const connect = (userId: string) => app.connect({ token: testToken(userId) });

describe('@OnConnect()', () => {
  it('is called for every connection', async () => {
    await app.connectAs('ann');
    await app.connectAs('ann');
    expect(log).toEqual(['ann came', 'ann came']);
  });

  it('may send to the connection, whose first frame is the welcome all the same', async () => {
    onConnect = (me, realtime) => realtime.sendToConnection(me.id, { type: 'hello' });
    const ann = await connect('ann');
    expect([await ann.next(), await ann.next()]).toMatchObject([{ type: 'realtime:welcome' }, { type: 'hello' }]);
  });

  it('may subscribe the connection', async () => {
    onConnect = (me, realtime) => realtime.subscribe(me.id, `user:${me.userId}`);
    const ann = await connect('ann');
    expect([await ann.next(), await ann.next()]).toMatchObject([
      { type: 'realtime:welcome' },
      { type: 'realtime:subscribed', payload: { topic: 'user:ann' } },
    ]);
  });

  it('runs before any command is handled', async () => {
    let release!: () => void;
    onConnect = () => new Promise<void>((resolve) => (release = resolve));
    const ann = await connect('ann');
    ann.send({ action: 'message', topic: 'desk', type: 'ask', id: 1 });
    await ann.next('realtime:welcome');
    await ann.settled();
    expect(log).toEqual(['ann came']);
    release();
    expect(await ann.next()).toMatchObject({ id: 1, payload: 'answer' });
  });

  it.each([
    [new ForbiddenException('Your account is suspended.'), 3507, 'Your account is suspended.'],
    [new RealtimeError('FORBIDDEN', 'No entry.'), 3507, 'No entry.'],
    [new UnauthorizedException('Who are you?'), 3500, 'Who are you?'],
    [new RealtimeError('TOKEN_EXPIRED', 'Too old.'), 3005, 'Too old.'],
    [new NotFoundException('You are unknown.'), 3004, 'You are unknown.'],
  ])('closes the connection when it throws %o', async (error, code, reason) => {
    onConnect = () => {
      throw error;
    };
    const ann = await connect('ann');
    expect(await ann.nextClose()).toEqual({ code, reason });
  });

  it('closes the connection, and tells nothing, when it fails unforeseen', async () => {
    collectLogs();
    onConnect = () => Promise.reject(new Error('the password is hunter2'));
    const ann = await connect('ann');
    const { code, reason } = await ann.nextClose();
    expect(code).toBe(3004);
    expect(reason).not.toMatch(/hunter2|^$/);
  });

  it.each(['x'.repeat(1_000), 'ü'.repeat(1_000), '💥'.repeat(1_000), `${'x'.repeat(29)}${'💥'.repeat(100)}`])(
    'may throw a text that is longer than a close frame: %s',
    async (text) => {
      onConnect = () => {
        throw new ForbiddenException(text);
      };
      const { reason } = await (await connect('ann')).nextClose();
      expect([text.startsWith(reason.slice(0, -1)), reason.at(-1)]).toEqual([true, '…']);
    },
  );

  it('may throw an empty text: the reason is never empty', async () => {
    onConnect = () => {
      throw new RealtimeError('FORBIDDEN', ' ');
    };
    expect(await (await connect('ann')).nextClose()).toEqual({ code: 3507, reason: 'permission denied' });
  });

  it('costs no other connection when it throws', async () => {
    const bob = await app.connectAs('bob');
    onConnect = () => {
      throw new ForbiddenException();
    };
    await (await connect('ann')).nextClose();
    await expect(bob.settled()).resolves.toBeUndefined();
  });

  it('is logged with Class.method when it fails unforeseen', async () => {
    const logs = collectLogs();
    onConnect = () => {
      throw new TypeError('out of order');
    };
    await (await connect('ann')).nextClose();
    expect(logs).toEqual([expect.stringMatching(/Presence\.came failed\nTypeError: out of order/)]);
  });

  it('leaves nothing behind when it throws', async () => {
    onConnect = async (me, realtime) => {
      await realtime.subscribe(me.id, 'feed');
      throw new ForbiddenException();
    };
    await (await connect('ann')).nextClose();
    expect(await app.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });

  it('is followed by @OnDisconnect() when it throws', async () => {
    onConnect = () => {
      throw new ForbiddenException('No.');
    };
    await (await connect('ann')).nextClose();
    await expect.poll(() => log).toEqual(['ann came', 'ann went 3507 No.']);
  });

  it('keeps commands from being handled when it throws', async () => {
    let refuse!: () => void;
    onConnect = () => new Promise((_resolve, reject) => (refuse = () => reject(new ForbiddenException())));
    const ann = await connect('ann');
    ann.send({ action: 'message', topic: 'desk', type: 'ask', id: 1 });
    await ann.settled();
    refuse();
    await ann.nextClose();
    expect(log).not.toContain('ask');
  });

  it('may disconnect the connection', async () => {
    onConnect = (me, realtime) => realtime.disconnect(user(me.userId), { reason: 'come back later' });
    expect(await (await connect('ann')).nextClose()).toEqual({ code: 3503, reason: 'come back later' });
  });

  it('is awaited by @OnDisconnect() when the client has gone meanwhile', async () => {
    let release!: () => void;
    onConnect = () => new Promise<void>((resolve) => (release = resolve));
    const ann = await connect('ann');
    await ann.next('realtime:welcome');
    ann.socket.terminate();
    await expect.poll(() => app.realtime.counts()).toMatchObject({ connections: 0 });
    const early = [...log];
    release();
    await expect.poll(() => log).toHaveLength(2);
    expect([early, log[1]]).toEqual([['ann came'], expect.stringContaining('ann went 1006')]);
  });
});

describe('@OnDisconnect()', () => {
  it('is told the code and the reason of the client', async () => {
    const ann = await app.connectAs('ann');
    ann.socket.close(4001, 'logged out');
    await expect.poll(() => log).toEqual(['ann came', 'ann went 4001 logged out']);
  });

  it('is told the code and the reason of the server', async () => {
    await app.connectAs('ann');
    await app.realtime.disconnect(user('ann'), { reason: 'enough' });
    await expect.poll(() => log).toEqual(['ann came', 'ann went 3503 enough']);
  });

  it('is told 1006 when the client vanished', async () => {
    const ann = await app.connectAs('ann');
    ann.socket.terminate();
    await expect.poll(() => log).toEqual(['ann came', 'ann went 1006 ']);
  });

  it('finds the connection gone already', async () => {
    let count: number | undefined;
    onDisconnect = async (_me, realtime) => (count = (await realtime.counts()).connections);
    await (await app.connectAs('ann')).close();
    await expect.poll(() => count).toBe(0);
  });

  it('harms nobody when it throws', async () => {
    collectLogs();
    onDisconnect = () => {
      throw new Error('x');
    };
    const [ann, bob] = [await app.connectAs('ann'), await app.connectAs('bob')];
    await ann.close();
    await expect.poll(() => log).toHaveLength(3);
    await expect(bob.settled()).resolves.toBeUndefined();
  });

  it('is logged when it throws', async () => {
    const logs = collectLogs();
    onDisconnect = () => Promise.reject(new TypeError('out of order'));
    await (await app.connectAs('ann')).close();
    await expect.poll(() => logs).toEqual([expect.stringMatching(/Presence\.went failed\nTypeError: out of order/)]);
  });

  it('does not keep an application from closing when it throws', async () => {
    collectLogs();
    onDisconnect = () => {
      throw new Error('x');
    };
    await app.connectAs('ann');
    await app.close();
    expect(log).toHaveLength(2);
  });
});

describe('several hooks', () => {
  beforeEach(async () => {
    app = await startRealtimeApp({ providers: [Presence, Audit] });
  });

  it('run one after the other', async () => {
    onConnect = async () => {
      await new Promise(setImmediate);
      log.push('ready');
    };
    await app.connectAs('ann');
    await expect.poll(() => log).toEqual(['ann came', 'ready', 'audit: ann came']);
  });

  it('do not go on to connect after one that threw', async () => {
    onConnect = () => {
      throw new ForbiddenException();
    };
    await (await connect('ann')).nextClose();
    await expect.poll(() => log).toEqual(['ann came', expect.any(String), 'audit: ann went 3507']);
  });

  it('go on to disconnect after one that threw', async () => {
    collectLogs();
    onDisconnect = () => {
      throw new Error('x');
    };
    const ann = await app.connectAs('ann');
    await ann.close();
    await expect.poll(() => log.at(-1)).toBe('audit: ann went 1005');
  });
});
