import { Injectable } from '@nestjs/common';
import { CurrentConnection, OnConnect, OnDisconnect, OnMessage, OnSubscribe } from 'nestjs-realtime';
import { TopicGateway, TopicName, connection, type RealtimeConnection } from 'nestjs-realtime';
import { testToken, UpgradeRefusedError } from 'nestjs-realtime/testing';
import { interval, finalize } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp, typesReceivedBy } from '../../helpers/realtime-app.js';

const forever = new Promise<never>(() => undefined);

@TopicGateway('room:{id}')
class Rooms {
  static ended = 0;

  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return me.roles.has('member');
  }

  @OnMessage('hang')
  hang() {
    return forever;
  }

  @OnMessage('watch')
  watch() {
    return interval(1).pipe(finalize(() => (Rooms.ended += 1)));
  }

  @OnMessage('where')
  where(@TopicName() topic: string) {
    return topic;
  }
}

const member = { roles: ['member'] };

describe('A stream', () => {
  it.each([
    [
      'unsubscribes',
      (client: { send(command: unknown): void }) => client.send({ action: 'unsubscribe', topic: 'room:1' }),
    ],
    [
      'renews its token without the role',
      (client: { send(command: unknown): void }) => client.send({ action: 'auth', token: testToken('ann') }),
    ],
  ])('ends with the subscription to its topic, when the client %s', async (_what, leave) => {
    Rooms.ended = 0;
    const app = await startRealtimeApp({ providers: [Rooms] });
    const ann = await app.connectAs('ann', member);
    await ann.request({ action: 'subscribe', topic: 'room:1' });
    ann.send({ action: 'message', id: 's', topic: 'room:1', type: 'watch' });
    await ann.next('realtime:reply');
    leave(ann);
    expect(await ann.next('realtime:complete')).toMatchObject({ id: 's' });
    expect(Rooms.ended).toBe(1);
  });
});

describe('A handler that never settles', () => {
  it('does not keep a topic open to a client that has lost its role', async () => {
    const app = await startRealtimeApp({ providers: [Rooms] });
    const ann = await app.connectAs('ann', member);
    await ann.request({ action: 'subscribe', topic: 'room:1' });
    ann.send({ action: 'message', id: 'h', topic: 'room:1', type: 'hang' });
    await ann.request({ action: 'auth', token: testToken('ann') });
    await ann.next('realtime:unsubscribed');
    expect(await app.realtime.publish('room:1', { type: 'secret' })).toMatchObject({ recipients: 0 });
  });

  it('does not keep its client from being told to reconnect at a shutdown', async () => {
    const app = await startRealtimeApp({ providers: [Rooms], options: { drain: { timeoutMs: 500 } } });
    const ann = await app.connectAs('ann', member);
    await ann.request({ action: 'subscribe', topic: 'room:1' });
    ann.send({ action: 'message', id: 'h', topic: 'room:1', type: 'hang' });
    await ann.settled();
    void app.realtime.drain();
    expect(await ann.nextClose()).toMatchObject({ code: 3001 });
  });
});

describe('Cancels that empty a full mailbox', () => {
  it('let the socket be read again', async () => {
    const app = await startRealtimeApp({ providers: [Rooms], options: { limits: { mailboxSize: 4 } } });
    const ann = await app.connectAs('ann', member);
    await ann.request({ action: 'subscribe', topic: 'room:1' });
    ann.send({ action: 'message', id: 'h', topic: 'room:1', type: 'hang' });
    const ids = ['a', 'b', 'c', 'd'];
    // In one piece, so that the cancels are there before reading stops.
    ann.socket.pause();
    for (const id of ids) ann.send({ action: 'message', id, topic: 'room:1', type: 'where' });
    for (const id of ids) ann.send({ action: 'cancel', id });
    ann.socket.resume();
    await ann.next(({ id }) => id === 'd');
    expect(await ann.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });
});

@Injectable()
class Door {
  entered = 0;
  left = 0;

  @OnConnect()
  enter() {
    this.entered += 1;
  }

  @OnDisconnect()
  leave() {
    this.left += 1;
  }
}

describe('A client that is sent away as it comes', () => {
  it('is seen to leave when it was seen to enter', async () => {
    const app = await startRealtimeApp({ providers: [Door] });
    const door = app.app.get(Door);
    app.realtime.events$.subscribe((event) => {
      if (event.type === 'connected') void app.realtime.disconnect(connection(event.connection.id));
    });
    const gone = new Promise<void>((resolve) =>
      app.realtime.events$.subscribe(({ type }) => type === 'disconnected' && resolve()),
    );
    const client = await app.connect({ token: testToken('ann') });
    await client.nextClose();
    await gone;
    expect([door.entered, door.left]).toEqual([1, 1]);
  });
});

describe('Hooks that never settle', () => {
  it('do not take the places of connections that are gone', async () => {
    @Injectable()
    class Stuck {
      @OnDisconnect()
      leave() {
        return forever;
      }
    }
    const options = { limits: { maxConnections: 1 }, drain: { timeoutMs: 100 } };
    const app = await startRealtimeApp({ providers: [Stuck], options });
    const first = await app.connectAs('ann');
    await first.close();
    const second = await app.connectAs('bob').catch((error: unknown) => error);
    expect(second).not.toBeInstanceOf(UpgradeRefusedError);
  });
});

describe('Clients that have not sent a token yet', () => {
  it('do not take the places of those that have one', async () => {
    const limits = { maxUnauthenticatedPerIp: 2, maxUnauthenticated: 1 };
    const app = await startRealtimeApp({ options: { token: { firstCommand: true }, limits } });
    await app.connect();
    await expect(app.connect()).rejects.toMatchObject({ status: 503 });
    const ann = await app.connectAs('ann');
    expect(await typesReceivedBy(ann)).toEqual([]);
  });
});
