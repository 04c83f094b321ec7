import { MessageBody, OnMessage, OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { RealtimeSettings } from '../../../lib/options/realtime.options.js';
import { Stage } from '../../helpers/stage.js';

@TopicGateway('hall:{id}', { presence: true, history: { size: 1_000, ttlMs: 60_000 } })
class Hall {
  @OnSubscribe()
  enter() {
    return { info: 'here' };
  }

  @OnMessage('echo')
  echo(@MessageBody() body: unknown) {
    return body;
  }

  @OnMessage('count')
  count() {
    return from([1, 2, 3]);
  }
}

/** The limits that `Infinity` does not turn off. */
const BOUNDED = ['authTimeoutMs', 'maxTopicLength', 'maxHistoryPage'];

/** All others, turned off. */
const UNLIMITED = Object.fromEntries(
  Object.keys(new RealtimeSettings({}).limits)
    .filter((name) => !BOUNDED.includes(name))
    .map((name) => [name, Infinity]),
);

describe('With all limits turned off', () => {
  const stage = Stage.shared({ providers: [Hall], options: { limits: UNLIMITED, presence: { graceMs: 0 } } });

  it('there are limits to turn off', () => {
    expect(Object.keys(UNLIMITED).length).toBeGreaterThan(15);
  });

  it('whoever is in a topic is listed and counted, on every node and for clients', async () => {
    const ann = await stage.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'hall:1' });
    const bob = await stage.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'hall:1' });
    for (const { realtime } of stage.nodes) {
      await expect.poll(async () => (await realtime.usersIn('hall:1')).users.length).toBe(2);
    }
    const { payload } = await bob.request({ action: 'presence', topic: 'hall:1' });
    expect(payload).toMatchObject({ userCount: 2, connectionCount: 2 });
    expect(payload.users.map(({ userId }: { userId: string }) => userId).toSorted()).toEqual(['ann', 'bob']);
    expect(await stage.realtime.updatePresence('hall:1', 'ann', 'away')).toBe(true);
  });

  it('what was missed is recovered, and read, by service and clients', async () => {
    const reports = [];
    for (let n = 0; n < 5; n++) reports.push(await stage.realtime.publish('hall:2', { type: 'entry', payload: n }));
    const { epoch } = reports[0]!;
    const ann = await stage.connectAs('ann');
    const { payload } = await ann.request({ action: 'subscribe', topic: 'hall:2', recover: { epoch, offset: 2 } });
    expect(payload).toMatchObject({ recovered: true });
    for (const n of [2, 3, 4]) expect((await ann.next('entry')).payload).toBe(n);
    expect((await ann.request({ action: 'history', topic: 'hall:2' })).payload.publications).toHaveLength(5);
    expect((await stage.realtime.history('hall:2')).publications).toHaveLength(5);
  });

  it('large, deep and wide messages are answered, as streams are', async () => {
    const ann = await stage.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'hall:3' });
    let deep: unknown = 'x'.repeat(100_000);
    for (let n = 0; n < 50; n++) deep = [deep];
    for (const payload of [deep, Array.from({ length: 20_000 }, (_, n) => n)]) {
      expect((await ann.request({ action: 'message', topic: 'hall:3', type: 'echo', payload })).payload).toEqual(
        payload,
      );
    }
    ann.send({ action: 'message', id: 'stream', topic: 'hall:3', type: 'count' });
    for (const item of [1, 2, 3]) expect((await ann.next(({ id }) => id === 'stream')).payload).toBe(item);
  });

  it('many commands, topics and connections of one user are taken', async () => {
    const guests = await Promise.all(Array.from({ length: 25 }, () => stage.connectAs('ann')));
    const [ann] = guests;
    const topics = Array.from({ length: 150 }, (_, n) => `hall:many-${n}`);
    await Promise.all(topics.map((topic) => ann!.request({ action: 'subscribe', topic })));
    expect(await stage.realtime.topicsOf(ann!.id)).toHaveLength(150);
    expect(await stage.realtime.sendToUser('ann', { type: 'hello' })).toMatchObject({ recipients: 25, complete: true });
    expect(await stage.realtime.disconnect(user('ann'))).toMatchObject({ recipients: 25, complete: true });
  });
});
