import {
  all,
  connection,
  CurrentConnection,
  OnMessage,
  OnSubscribe,
  role,
  TopicGateway,
  user,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

@TopicGateway('plan:{name}')
class Plans {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return me.metadata['plan'] === 'gold';
  }
}

@TopicGateway('counter:{name}')
class Counters {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    Object.assign(me.state, { count: 1 });
    return true;
  }

  @OnMessage('count')
  count(@CurrentConnection() me: RealtimeConnection) {
    const state = me.state as { count: number };
    state.count += 1;
    return state;
  }
}

const stage = Stage.shared({ providers: [Plans, Counters] });

const metadataOf = async ({ id }: StageGuest) => (await stage.realtime.connection(id))?.metadata;
const connected = async (): Promise<[ann: StageGuest, bob: StageGuest]> => [
  await stage.connectAs('ann', { email: 'ann@example.com', roles: ['staff'] }),
  await stage.connectAs('bob', { email: 'bob@example.com', roles: ['staff'] }),
];

describe('metadata that is updated', () => {
  it('is that of the connections that are addressed from then on', async () => {
    const [ann, bob] = await connected();
    expect(await stage.realtime.updateMetadata(user('ann'), { plan: 'gold' })).toEqual(reportOf(ann));
    expect(await metadataOf(ann)).toEqual({ email: 'ann@example.com', plan: 'gold' });
    expect(await metadataOf(bob)).toEqual({ email: 'bob@example.com' });
  });

  it('is updated on every node', async () => {
    const [ann, bob] = await connected();
    expect(await stage.realtime.updateMetadata(role('staff'), { seats: [1, 2] })).toEqual(reportOf(ann, bob));
    for (const guest of [ann, bob]) expect(await metadataOf(guest)).toMatchObject({ seats: [1, 2] });
  });

  it('loses the keys that are null', async () => {
    const [ann] = await connected();
    await stage.realtime.updateMetadata(connection(ann.id), { plan: 'gold', seat: 7 });
    await stage.realtime.updateMetadata(connection(ann.id), { plan: null, email: null });
    expect(await metadataOf(ann)).toEqual({ seat: 7 });
  });

  it('outlives the token, while what came from the token is replaced', async () => {
    const [ann] = await connected();
    await stage.realtime.updateMetadata(user('ann'), { plan: 'gold' });
    await ann.request({ action: 'auth', token: testToken('ann', { email: 'new@example.com' }) });
    expect(await metadataOf(ann)).toEqual({ email: 'new@example.com', plan: 'gold' });
  });

  it('keeps its precedence over that of a newer token', async () => {
    const [ann] = await connected();
    await stage.realtime.updateMetadata(user('ann'), { email: null });
    await ann.request({ action: 'auth', token: testToken('ann', { email: 'new@example.com' }) });
    expect(await metadataOf(ann)).toEqual({});
  });

  it('outlives a change of rights', async () => {
    const [ann] = await connected();
    await stage.realtime.updateMetadata(user('ann'), { plan: 'gold' });
    await stage.realtime.changeRights(user('ann'), { roles: [] });
    expect(await metadataOf(ann)).toMatchObject({ plan: 'gold' });
  });

  it('leaves subscriptions alone unless told otherwise', async () => {
    const [ann] = await connected();
    await stage.realtime.updateMetadata(user('ann'), { plan: 'gold' });
    await ann.request({ action: 'subscribe', topic: 'plan:1' });
    await stage.realtime.updateMetadata(user('ann'), { plan: 'free' });
    await ann.settled();
    expect(await stage.realtime.topicsOf(ann.id)).toEqual(['plan:1']);
  });

  it('has topics judged anew with reauthorize', async () => {
    const [ann] = await connected();
    await stage.realtime.updateMetadata(user('ann'), { plan: 'gold' });
    await ann.request({ action: 'subscribe', topic: 'plan:1' });
    await stage.realtime.updateMetadata(all(), { plan: 'free' }, { reauthorize: true });
    expect(await ann.next('realtime:unsubscribed')).toMatchObject({ payload: { topic: 'plan:1' } });
    expect(await stage.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it('of nobody is no error', async () => {
    expect(await stage.realtime.updateMetadata(user('zoe'), { plan: 'gold' })).toEqual(reportOf());
  });

  it.each<[string, unknown, argument: string]>([
    ['a text', 'gold', 'patch'],
    ['a name that reaches a prototype', JSON.parse('{"__proto__":{"admin":true}}'), 'patch.__proto__'],
    ['a value that JSON cannot carry', { count: 1n }, 'patch.count'],
    ['a value that JSON would empty', { seats: new Set([1]) }, 'patch.seats'],
    ['no plain object', new Date(), 'patch'],
    ['more than there is room for', { text: 'x'.repeat(70_000) }, 'patch'],
    ['a value that JSON would lose', { seen: { rooms: new Set() } }, 'patch.seen.rooms'],
  ])('is refused with %s, and nothing is changed', async (_what, patch, argument) => {
    const [ann] = await connected();
    await expect(stage.realtime.updateMetadata(all(), patch as never)).rejects.toMatchObject({ argument });
    expect(await metadataOf(ann)).toEqual({ email: 'ann@example.com' });
  });
});

describe('the state of a connection', () => {
  it('is the same for all snapshots, whatever has changed in between', async () => {
    const [ann] = await connected();
    await ann.request({ action: 'subscribe', topic: 'counter:1' });
    await stage.realtime.updateMetadata(user('ann'), { plan: 'gold' });
    await stage.realtime.changeRights(user('ann'), { roles: ['admin'] });
    await ann.request({ action: 'auth', token: testToken('ann') });
    const answer = await ann.request({ action: 'message', topic: 'counter:1', type: 'count' });
    expect(answer.payload).toEqual({ count: 2 });
  });

  it('is of one connection', async () => {
    const [phone, laptop] = [await stage.connectAs('ann'), await stage.connectAs('ann')];
    for (const each of [phone, laptop]) await each.request({ action: 'subscribe', topic: 'counter:1' });
    await phone.request({ action: 'message', topic: 'counter:1', type: 'count' });
    const answer = await laptop.request({ action: 'message', topic: 'counter:1', type: 'count' });
    expect(answer.payload).toEqual({ count: 2 });
  });

  it('never leaves the node', async () => {
    const [ann, bob] = await connected();
    for (const each of [ann, bob]) await each.request({ action: 'subscribe', topic: 'counter:1' });
    const { length } = stage.nodes;
    const [onFirst, onSecond] = await Promise.all([ann, bob].map(({ id }) => stage.realtime.connection(id)));
    expect([onFirst?.state, onSecond?.state]).toEqual(length === 1 ? [{ count: 1 }, { count: 1 }] : [{}, {}]);
    expect(JSON.stringify(onFirst)).not.toContain('count');
  });
});
