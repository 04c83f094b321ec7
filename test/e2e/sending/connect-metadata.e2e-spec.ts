import {
  connection,
  CurrentConnection,
  OnSubscribe,
  TopicGateway,
  user,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

@TopicGateway('plan:{name}')
class Plans {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return me.metadata['plan'] === 'gold';
  }
}

/** Users for whom `metadata` was called, on all nodes. */
let asked: string[];

const stage = Stage.shared({
  providers: [Plans],
  options: {
    metadata: ({ address, request }, { userId }) => {
      asked.push(userId);
      return { address, path: request?.url?.replace(/\?.*/, ''), plan: 'gold', tier: 1 };
    },
    claims: ({ sub = '', ...metadata }) => ({
      userId: sub,
      roles: metadata['roles'] as string[],
      metadata: { email: metadata['email'], tier: 0 },
    }),
  },
});

beforeEach(() => {
  asked = [];
});

const OF_REQUEST = { address: '127.0.0.1', path: '/ws', plan: 'gold', tier: 1 };

const metadataOf = async ({ id }: StageGuest) => (await stage.realtime.connection(id))?.metadata;
const connect = () => stage.connectAs('ann', { email: 'ann@example.com', roles: ['staff'] });
const renew = (guest: StageGuest) =>
  guest.request({ action: 'auth', token: testToken('ann', { email: 'new@example.com', roles: ['staff'] }) });

describe('the metadata of a connection from when it connected', () => {
  it('stands beside that of the token, and takes precedence over it', async () => {
    const ann = await connect();
    expect(await metadataOf(ann)).toEqual({ email: 'ann@example.com', ...OF_REQUEST });
  });

  it('gives way to an update from another node, key by key', async () => {
    const ann = await connect();
    expect(await stage.realtime.updateMetadata(user('ann'), { plan: 'free', tier: null })).toEqual(reportOf(ann));
    const { tier: _removed, ...others } = OF_REQUEST;
    expect(await metadataOf(ann)).toEqual({ email: 'ann@example.com', ...others, plan: 'free' });
  });

  it('outlives a renewal, and is not asked for again', async () => {
    const ann = await connect();
    expect((await renew(ann)).type).toBe('realtime:authenticated');
    expect([await metadataOf(ann), asked]).toEqual([{ email: 'new@example.com', ...OF_REQUEST }, ['ann']]);
  });

  it('is updated after a renewal as before it', async () => {
    const ann = await connect();
    await stage.realtime.updateMetadata(user('ann'), { plan: 'free', tier: null, seat: 7 });
    await renew(ann);
    const { tier: _removed, ...others } = OF_REQUEST;
    expect(await metadataOf(ann)).toEqual({ email: 'new@example.com', ...others, plan: 'free', seat: 7 });
    await stage.realtime.updateMetadata(user('ann'), { seat: null, tier: 2 });
    await renew(ann);
    expect(await metadataOf(ann)).toEqual({ email: 'new@example.com', ...OF_REQUEST, plan: 'free', tier: 2 });
  });

  it('outlives a change of rights', async () => {
    const ann = await connect();
    await stage.realtime.changeRights(connection(ann.id), { roles: ['admin'] });
    expect(await metadataOf(ann)).toEqual({ email: 'ann@example.com', ...OF_REQUEST });
  });

  it('is known to handlers, and topics are judged anew without it', async () => {
    const ann = await connect();
    expect(await ann.request({ action: 'subscribe', topic: 'plan:1' })).toMatchObject({ type: 'realtime:subscribed' });
    await stage.realtime.updateMetadata(user('ann'), { plan: null }, { reauthorize: true });
    expect(await ann.next('realtime:unsubscribed')).toMatchObject({ payload: { topic: 'plan:1' } });
  });

  it('is that of each connection', async () => {
    const [phone, laptop] = [await connect(), await connect()];
    await stage.realtime.updateMetadata(connection(phone.id), { tier: 2 });
    expect([await metadataOf(phone), await metadataOf(laptop), asked]).toMatchObject([
      { tier: 2 },
      { tier: 1 },
      ['ann', 'ann'],
    ]);
  });

  it('is complete after an update and a renewal at the same time', async () => {
    const ann = await connect();
    for (let seat = 1; seat <= 10; seat++) {
      const token = testToken('ann', { email: `${seat}@example.com`, roles: ['staff'] });
      const [answer] = await Promise.all([
        ann.request({ action: 'auth', token }),
        stage.realtime.updateMetadata(user('ann'), { seat, plan: null }),
      ]);
      const { plan: _removed, ...others } = OF_REQUEST;
      expect([answer.type, await metadataOf(ann)]).toEqual([
        'realtime:authenticated',
        { email: `${seat}@example.com`, ...others, seat },
      ]);
    }
  });
});
