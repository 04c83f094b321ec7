import { ForbiddenException, Injectable } from '@nestjs/common';
import {
  CurrentConnection,
  MessageBody,
  OnConnect,
  OnJoin,
  OnLeave,
  OnSubscribe,
  TopicGateway,
  TopicParam,
  user,
  type PresenceChange,
  type RealtimeConnection,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

let hooks: string[];
/** The info about a subscriber. */
let infoOf: (me: RealtimeConnection) => unknown;
/** For how long a join takes. */
let joining: Promise<void> | undefined;

beforeEach(() => {
  hooks = [];
  infoOf = ({ roles }) => ({ roles: [...roles] });
  joining = undefined;
});

@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return { info: infoOf(me) };
  }

  @OnJoin()
  async joined(@MessageBody() { userId }: PresenceChange, @TopicParam('id') id: string) {
    await joining;
    hooks.push(`${userId} joined ${id}`);
  }

  @OnLeave()
  left(@MessageBody('userId') userId: string, @TopicParam('id') id: string) {
    hooks.push(`${userId} left ${id}`);
  }
}

@Injectable()
class Doorman {
  @OnConnect()
  enter(@CurrentConnection() { userId }: RealtimeConnection) {
    if (userId === 'banned') throw new ForbiddenException('banned');
  }
}

const boot = (presence: RealtimeOptions['presence'] = {}) =>
  startRealtimeApp({ providers: [RoomTopic, Doorman], options: { presence } });

async function enter(app: RealtimeApp, userId: string, roles: string[] = []) {
  const guest = await app.connectAs(userId, { roles });
  await guest.request({ action: 'subscribe', topic: 'room:1' });
  return guest;
}

const membersOf = async (app: RealtimeApp) => (await app.realtime.usersIn('room:1')).users;

describe('what is shown of a user', () => {
  it('is what @OnSubscribe() said last, in whatever tab', async () => {
    const app = await boot();
    await enter(app, 'ann', ['guest']);
    await enter(app, 'ann', ['host']);
    expect(await membersOf(app)).toEqual([{ userId: 'ann', info: { roles: ['host'] }, connections: 2 }]);
  });

  it('follows the rights of the user', async () => {
    const app = await boot();
    await enter(app, 'ann', ['guest']);
    await app.realtime.changeRights(user('ann'), { roles: ['host'] });
    await expect.poll(() => membersOf(app)).toMatchObject([{ info: { roles: ['host'] } }]);
  });

  it('may be nothing', async () => {
    infoOf = () => undefined;
    const app = await boot();
    await enter(app, 'ann');
    expect(await membersOf(app)).toEqual([{ userId: 'ann', connections: 1 }]);
  });

  it.each([
    ['a BigInt', { id: 7n }, 'info.id is a BigInt'],
    ['a Map', { seen: [new Map()] }, 'info.seen[0] is a Map'],
    ['a Promise', { name: Promise.resolve('Ann') }, 'info.name is a Promise'],
  ])('keeps a subscriber out when JSON cannot carry it, and says so in the log alone: %s', async (_what, info, why) => {
    const logs = collectLogs();
    infoOf = () => info;
    const app = await boot();
    const ann = await app.connectAs('ann');
    const { payload } = await ann.request({ action: 'subscribe', topic: 'room:1' });
    expect([payload.code, await membersOf(app)]).toEqual(['INTERNAL', []]);
    expect(logs).toEqual([expect.stringContaining('RoomTopic.enter returned a value that cannot be serialised')]);
    expect(logs[0]).toContain(why);
  });
});

describe('a subscriber', () => {
  it('is there for itself as soon as it is subscribed', async () => {
    const app = await boot();
    const ann = await enter(app, 'ann');
    const { payload } = await ann.request({ action: 'presence', topic: 'room:1' });
    expect(payload).toMatchObject({ users: [{ userId: 'ann', connections: 1 }], userCount: 1, connectionCount: 1 });
  });
});

describe('a connection that the server subscribes', () => {
  it('brings its user into the topic', async () => {
    const app = await boot();
    const { id } = await app.connectAs('ann');
    await app.realtime.subscribe(id, 'room:1');
    expect(await membersOf(app)).toEqual([{ userId: 'ann', connections: 1 }]);
  });
});

describe('hooks of presence', () => {
  it('of one user run one after the other, even if a join takes its time', async () => {
    let release!: () => void;
    joining = new Promise((resolve) => (release = resolve));
    const app = await boot();
    const ann = await enter(app, 'ann');
    await ann.request({ action: 'unsubscribe', topic: 'room:1' });
    await ann.settled();
    const early = [...hooks];
    release();
    await expect.poll(() => hooks).toEqual(['ann joined 1', 'ann left 1']);
    expect(early).toEqual([]);
  });

  it('of one user do not wait for those of another', async () => {
    joining = new Promise(() => undefined);
    const app = await boot();
    await enter(app, 'ann');
    joining = undefined;
    await enter(app, 'bob');
    await expect.poll(() => hooks).toEqual(['bob joined 1']);
  });

  it('are not told that anybody has left when the application shuts down', async () => {
    const app = await boot();
    await enter(app, 'ann');
    await expect.poll(() => hooks).toEqual(['ann joined 1']);
    await app.app.close();
    expect(hooks).toEqual(['ann joined 1']);
  });
});

describe('a user who is not let in by @OnConnect()', () => {
  it('has never been online', async () => {
    const app = await boot({ online: true, graceMs: 0 });
    const seen: string[] = [];
    app.realtime.events$.subscribe((event) => 'userId' in event && seen.push(`${event.userId} ${event.type}`));
    await expect(app.connectAs('banned').then((guest) => guest.nextClose())).resolves.toMatchObject({ code: 3507 });
    const ann = await app.connectAs('ann');
    await ann.close();
    await expect.poll(() => seen).toEqual(['ann online', 'ann offline']);
  });
});

describe('online and offline', () => {
  it('are not told unless they are wanted', async () => {
    const app = await boot({ graceMs: 0 });
    const seen: string[] = [];
    app.realtime.events$.subscribe(({ type }) => seen.push(type));
    const ann = await app.connectAs('ann');
    await ann.close();
    await expect.poll(() => seen).toEqual(['connected', 'disconnected']);
  });
});
