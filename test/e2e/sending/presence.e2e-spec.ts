import {
  CurrentConnection,
  MessageBody,
  OnJoin,
  OnLeave,
  OnPresenceUpdate,
  OnSubscribe,
  TopicGateway,
  TopicName,
  user,
  type PresenceChange,
  type RealtimeConnection,
} from 'nestjs-realtime';
import type { ReceivedFrame } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

/** The calls of the gateway's hooks, on any node. */
let hooks: string[] = [];

@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection, @MessageBody('name') name?: string) {
    if (name === 'refused') return false;
    return !me.roles.has('banned') && { info: { name: name ?? me.userId.toUpperCase() } };
  }

  @OnJoin()
  @OnLeave()
  @OnPresenceUpdate()
  changed(@MessageBody() { kind, userId, info }: PresenceChange, @TopicName() topic: string) {
    hooks.push(`${userId} ${kind} ${topic} ${JSON.stringify(info)}`);
  }
}

let rooms = 0;
/** One of its own for each test. */
let topic: string;

beforeEach(() => {
  hooks = [];
  topic = `room:${++rooms}`;
});

const ANN = { userId: 'ann', info: { name: 'ANN' } };
const BOB = { userId: 'bob', info: { name: 'BOB' } };

/** Connects a client that joins the topic and receives presence events if it asks. */
async function enter(stage: Stage, userId: string, presence?: boolean): Promise<StageGuest> {
  const guest = await stage.connectAs(userId);
  await guest.request({ action: 'subscribe', topic, presence });
  return guest;
}

/** Connects a client that receives presence events, and waits for its own join. */
async function watch(stage: Stage): Promise<StageGuest> {
  const watcher = await enter(stage, 'zoe', true);
  await watcher.next(newsOf('joined', 'zoe'));
  return watcher;
}

function newsOf(kind: string, userId: string): (frame: ReceivedFrame) => boolean {
  return ({ type, payload }) => type === `realtime:${kind}` && payload.userId === userId;
}

const leave = (guest: StageGuest) => guest.request({ action: 'unsubscribe', topic });

describe('a user who comes into a topic', () => {
  const stage = Stage.shared({ providers: [RoomTopic], options: { presence: { graceMs: 60_000 } } });

  it('is told to those who asked, with what the application shows of the user', async () => {
    const watcher = await watch(stage);
    await enter(stage, 'ann');
    expect(await watcher.next()).toEqual({
      type: 'realtime:joined',
      payload: { topic, ...ANN },
      timestamp: expect.any(String),
    });
  });

  it('hears of its own coming when it asked, behind the answer', async () => {
    const ann = await stage.connectAs('ann');
    ann.send({ action: 'subscribe', topic, presence: true, id: 1 });
    expect([await ann.next(), await ann.next()]).toMatchObject([
      { type: 'realtime:subscribed', id: 1 },
      { type: 'realtime:joined', payload: { topic, ...ANN } },
    ]);
  });

  it('comes once, whatever tabs there are on whatever node', async () => {
    const watcher = await watch(stage);
    await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    await enter(stage, 'ann');
    await enter(stage, 'ann');
    await enter(stage, 'bob');
    await watcher.next(newsOf('joined', 'bob'));
    expect(watcher.pending).toEqual([]);
  });

  it('is not told to subscribers who did not ask', async () => {
    const [watcher, deaf] = [await watch(stage), await enter(stage, 'yan')];
    await watcher.next(newsOf('joined', 'yan'));
    const ann = await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    await leave(ann);
    await watcher.next(newsOf('left', 'ann'));
    await stage.realtime.publish(topic, { type: 'fence' });
    expect((await deaf.next()).type).toBe('fence');
  });

  it('is one entry with all connections, and counted exactly', async () => {
    await enter(stage, 'ann');
    await enter(stage, 'bob');
    await enter(stage, 'ann');
    await expect
      .poll(() => stage.realtime.usersIn(topic))
      .toEqual({
        topic,
        users: expect.arrayContaining([
          { ...ANN, connections: 2 },
          { ...BOB, connections: 1 },
        ]),
        userCount: 2,
        connectionCount: 3,
      });
  });

  it('is told to a subscriber who asks who is there', async () => {
    await enter(stage, 'bob');
    await enter(stage, 'bob');
    const ann = await enter(stage, 'ann');
    const ask = async () => (await ann.request({ action: 'presence', topic })).payload;
    await expect.poll(async () => (await ask()).connectionCount).toBe(3);
    expect(await ask()).toEqual({
      topic,
      users: expect.arrayContaining([
        { ...ANN, connections: 1 },
        { ...BOB, connections: 2 },
      ]),
      userCount: 2,
      connectionCount: 3,
    });
  });

  it('is shown as was said last, also when a tab of before closes, on whatever node', async () => {
    const before = await enter(stage, 'ann');
    const beside = await before.node.connectAs('ann');
    await beside.request({ action: 'subscribe', topic });
    const named = await stage.connectAs('ann');
    await named.request({ action: 'subscribe', topic, payload: { name: 'Annie' } });
    const shown = async () => (await stage.realtime.usersIn(topic)).users;
    await expect.poll(shown).toEqual([{ userId: 'ann', info: { name: 'Annie' }, connections: 3 }]);
    await beside.request({ action: 'unsubscribe', topic });
    await expect.poll(shown).toEqual([{ userId: 'ann', info: { name: 'Annie' }, connections: 2 }]);
    before.socket.terminate();
    await expect.poll(shown).toEqual([{ userId: 'ann', info: { name: 'Annie' }, connections: 1 }]);
  });

  it('is in that topic alone', async () => {
    await enter(stage, 'ann');
    expect(await stage.realtime.usersIn('room:empty')).toEqual({
      topic: 'room:empty',
      users: [],
      userCount: 0,
      connectionCount: 0,
    });
  });
});

describe('a user who leaves a topic', () => {
  // The grace period is so long that a leave after it would come too late for any test.
  const stage = Stage.shared({ providers: [RoomTopic], options: { presence: { graceMs: 60_000 } } });

  it.each<[how: string, end: (ann: StageGuest) => Promise<unknown>]>([
    ['it unsubscribes', leave],
    ['the server takes it off', (ann) => stage.realtime.unsubscribe(ann.id, topic)],
    ['it may not be there any more', () => stage.realtime.changeRights(user('ann'), { roles: ['banned'] })],
    ['it is sent away for good', () => stage.realtime.disconnect(user('ann'))],
  ])('leaves at once when %s', async (_how, end) => {
    const watcher = await watch(stage);
    const ann = await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    await end(ann);
    expect((await watcher.next()).payload).toEqual({ topic, ...ANN });
    expect(await stage.realtime.usersIn(topic)).toMatchObject({ userCount: 1, connectionCount: 1 });
  });

  it('leaves with the last tab, and not before', async () => {
    const watcher = await watch(stage);
    const tabs = [await enter(stage, 'ann'), await enter(stage, 'ann')];
    await watcher.next(newsOf('joined', 'ann'));
    await leave(tabs[0]!);
    await expect.poll(async () => (await stage.realtime.usersIn(topic)).connectionCount).toBe(2);
    expect(watcher.pending).toEqual([]);
    await leave(tabs[1]!);
    expect(await watcher.next()).toMatchObject({ type: 'realtime:left', payload: ANN });
  });

  it('is still there without a connection when the last one dropped', async () => {
    const watcher = await watch(stage);
    (await enter(stage, 'ann')).socket.terminate();
    await expect
      .poll(async () => (await stage.realtime.usersIn(topic)).users)
      .toContainEqual({ ...ANN, connections: 0 });
    await watcher.next(newsOf('joined', 'ann'));
    expect(watcher.pending).toEqual([]);
  });

  it('tells of nobody any more who asks not to be told', async () => {
    const watcher = await watch(stage);
    await watcher.request({ action: 'subscribe', topic, presence: false });
    const ann = await enter(stage, 'ann', true);
    await ann.next('realtime:joined');
    await stage.realtime.publish(topic, { type: 'fence' });
    expect((await watcher.next()).type).toBe('fence');
  });
});

describe('a user whose connection drops', () => {
  const stage = Stage.shared({ providers: [RoomTopic], options: { presence: { graceMs: 2_000 } } });

  it('has left when nobody comes back in time', async () => {
    const watcher = await watch(stage);
    (await enter(stage, 'ann')).socket.terminate();
    await watcher.next(newsOf('joined', 'ann'));
    expect(await watcher.next(newsOf('left', 'ann'))).toMatchObject({ payload: { topic, ...ANN } });
    expect(await stage.realtime.usersIn(topic)).toMatchObject({ userCount: 1, connectionCount: 1 });
  });

  it('has not left when it comes back in time, to whatever node', async () => {
    const watcher = await watch(stage);
    const { node, socket } = await enter(stage, 'ann');
    // Another one on the same node, who drops later and does not come back: when that is told, ann was waited for.
    const late = await node.connectAs('bob');
    await late.request({ action: 'subscribe', topic });
    await watcher.next(newsOf('joined', 'bob'));
    await watcher.next(newsOf('joined', 'ann'));
    socket.terminate();
    await expect.poll(async () => (await stage.realtime.usersIn(topic)).connectionCount).toBe(2);
    await enter(stage, 'ann');
    late.socket.terminate();
    // The first that is heard to leave, whatever else is heard.
    expect(await watcher.next('realtime:left')).toMatchObject({ payload: BOB });
    expect((await stage.realtime.usersIn(topic)).users).toContainEqual({ ...ANN, connections: 1 });
  });
});

describe('@OnJoin() and @OnLeave()', () => {
  const stage = Stage.shared({ providers: [RoomTopic], options: { presence: { graceMs: 60_000 } } });

  it('are each called once, on one of all nodes', async () => {
    const tabs = [await enter(stage, 'ann'), await enter(stage, 'ann'), await enter(stage, 'ann')];
    const joined = `ann joined ${topic} {"name":"ANN"}`;
    await expect.poll(() => hooks).toEqual([joined]);
    for (const tab of tabs) await leave(tab);
    await expect.poll(() => hooks).toEqual([joined, `ann left ${topic} {"name":"ANN"}`]);
  });
});

describe('a list that is limited', () => {
  it('has no more users than it may, and counts all of them', async () => {
    const stage = await Stage.set({ providers: [RoomTopic], options: { limits: { maxPresenceUsers: 2 } } });
    for (const userId of ['ann', 'bob', 'cleo']) await enter(stage, userId);
    await expect.poll(() => stage.realtime.usersIn(topic)).toMatchObject({ userCount: 3, connectionCount: 3 });
    expect((await stage.realtime.usersIn(topic)).users).toHaveLength(2);
  });
});

describe('whether a user is online', () => {
  const stage = Stage.shared({ options: { presence: { online: true, graceMs: 100 } } });
  let seen: string[];
  let stop: () => void;

  beforeEach(() => {
    seen = [];
    const subscription = stage.events$.subscribe((event) => {
      if ((event.type === 'online' || event.type === 'offline') && event.userId === 'bob') seen.push(event.type);
    });
    stop = () => subscription.unsubscribe();
  });

  afterEach(() => stop());

  it('is a matter of any connection on any node', async () => {
    const before = await stage.realtime.isOnline('ann');
    const ann = await stage.connectAs('ann');
    const during = await stage.realtime.isOnline('ann');
    await ann.close();
    await expect.poll(() => stage.realtime.isOnline('ann')).toBe(false);
    expect([before, during]).toEqual([false, true]);
  });

  it('is told once with the first connection, and once after the last, by one node', async () => {
    const tabs = [await stage.connectAs('bob'), await stage.connectAs('bob'), await stage.connectAs('bob')];
    await expect.poll(() => seen).toEqual(['online']);
    for (const tab of tabs) tab.socket.terminate();
    await expect.poll(() => seen).toEqual(['online', 'offline']);
  });
});

describe('what is shown of a user', () => {
  const stage = Stage.shared({ providers: [RoomTopic], options: { presence: { graceMs: 60_000 } } });
  const shown = async () => (await stage.realtime.usersIn(topic)).users.find(({ userId }) => userId === 'ann')?.info;

  it('is what the application sets, told to watchers and to one node', async () => {
    const watcher = await watch(stage);
    await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    expect(await stage.realtime.updatePresence(topic, 'ann', { away: true })).toBe(true);
    expect((await watcher.next(newsOf('updated', 'ann'))).payload).toEqual({
      topic,
      userId: 'ann',
      info: { away: true },
    });
    expect(await shown()).toEqual({ away: true });
    await expect.poll(() => hooks).toContain(`ann updated ${topic} {"away":true}`);
    expect(hooks.filter((text) => text.startsWith('ann updated'))).toHaveLength(1);
    expect(await stage.realtime.updatePresence(topic, 'nobody', {})).toBe(false);
  });

  it('stays when JSON would lose something of the new info, and the error names the place', async () => {
    await enter(stage, 'ann');
    const before = await shown();
    const info = { rooms: [new Map()] };
    await expect(stage.realtime.updatePresence(topic, 'ann', info)).rejects.toMatchObject({
      argument: 'info.rooms[0]',
    });
    expect(await shown()).toEqual(before);
  });

  it('stays when the new info is too large, and the error has the limit', async () => {
    const watcher = await watch(stage);
    await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    const before = await shown();
    await expect(stage.realtime.updatePresence(topic, 'ann', 'x'.repeat(1_023))).rejects.toMatchObject({
      argument: 'info',
      message: expect.stringContaining('has 1025 bytes as JSON, and limits.maxPresenceInfoBytes is 1024'),
    });
    expect(await shown()).toEqual(before);
    expect(await stage.realtime.updatePresence(topic, 'ann', 'x'.repeat(1_022))).toBe(true);
    // The first news is that of the info that was small enough.
    expect((await watcher.next('realtime:updated')).payload.info).toHaveLength(1_022);
  });

  it('is asked for again with a payload, and a no leaves everything as it was', async () => {
    const watcher = await watch(stage);
    const ann = await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    await ann.request({ action: 'subscribe', topic, payload: { name: 'Annie' } });
    await watcher.next(newsOf('updated', 'ann'));
    expect(await shown()).toEqual({ name: 'Annie' });
    const refused = await ann.request({ action: 'subscribe', topic, payload: { name: 'refused' } });
    expect(refused).toMatchObject({ type: 'realtime:error', payload: { code: 'FORBIDDEN' } });
    expect(await shown()).toEqual({ name: 'Annie' });
    await stage.realtime.publish(topic, { type: 'fence' });
    expect((await ann.next('fence')).type).toBe('fence');
  });
});

describe('a user with two connections of which one drops', () => {
  const stage = Stage.shared({ providers: [RoomTopic], options: { presence: { graceMs: 60_000 } } });

  it.each([0, 1, 2])('stays when the other leaves meanwhile, %i nodes further', async (further) => {
    const watcher = await watch(stage);
    const phone = await enter(stage, 'ann');
    await watcher.next(newsOf('joined', 'ann'));
    for (let i = 0; i < further; i++) await stage.connectAs('yan');
    const laptop = await enter(stage, 'ann');
    phone.socket.terminate();
    await expect.poll(async () => (await stage.realtime.usersIn(topic)).connectionCount).toBe(2);
    await leave(laptop);
    await expect.poll(async () => (await stage.realtime.usersIn(topic)).connectionCount).toBe(1);
    expect((await stage.realtime.usersIn(topic)).userCount).toBe(2);
    await stage.realtime.publish(topic, { type: 'fence' });
    await watcher.next('fence');
    expect(watcher.pending.filter(({ type }) => type === 'realtime:left')).toEqual([]);
  });
});

describe('a subscriber that asks at once who is there', () => {
  const stage = Stage.shared({ providers: [RoomTopic], options: { limits: { maxPresenceUsers: Infinity } } });

  it('finds itself, also when all members may be listed', async () => {
    for (let i = 0; i < 20; i++) {
      const userId = `user-${i}`;
      const guest = await enter(stage, userId);
      const { payload } = await guest.request({ action: 'presence', topic });
      expect(payload.users.map((each: { userId: string }) => each.userId)).toContain(userId);
    }
  });
});
