import {
  all,
  CurrentConnection,
  OnSubscribe,
  role,
  TopicGateway,
  user,
  type JwtClaims,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

@TopicGateway('admins:{room}')
class AdminsOnly {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return me.roles.has('admin') || me.permissions.has('enter');
  }
}

const stage = Stage.shared({ providers: [AdminsOnly] });

/** A user with rights, and another user on another node. */
async function connected(rights: JwtClaims): Promise<[ann: StageGuest, bob: StageGuest]> {
  return [await stage.connectAs('ann', rights), await stage.connectAs('bob', rights)];
}

describe('rights that are changed', () => {
  it('are those of the connections that are addressed from then on', async () => {
    const [ann, bob] = await connected({ roles: ['guest'], permissions: ['read'] });
    expect(await stage.realtime.changeRights(user('ann'), { roles: new Set(['admin']) })).toEqual(reportOf(ann));
    expect(await stage.realtime.connection(ann.id)).toMatchObject({
      roles: new Set(['admin']),
      permissions: new Set(['read']),
    });
    expect(await stage.realtime.connection(bob.id)).toMatchObject({ roles: new Set(['guest']) });
  });

  it('are changed on every node', async () => {
    const [ann, bob] = await connected({ roles: ['guest'], permissions: ['read'] });
    expect(await stage.realtime.changeRights(role('guest'), { permissions: [] })).toEqual(reportOf(ann, bob));
    for (const { id } of [ann, bob]) {
      expect(await stage.realtime.connection(id)).toMatchObject({ roles: new Set(['guest']), permissions: new Set() });
    }
  });

  it('decide what it gets', async () => {
    const [ann, bob] = await connected({ roles: ['guest'] });
    await stage.realtime.changeRights(user('ann'), { roles: ['admin'] });
    expect(await stage.realtime.sendToRole('admin', { type: 'news' })).toEqual(reportOf(ann));
    await ann.next('news');
    expect(await stage.realtime.sendToRole('guest', { type: 'old' })).toEqual(reportOf(bob));
  });

  it('take it off the topics that they no longer open, and tell it', async () => {
    const [ann] = await connected({ roles: ['admin'] });
    await ann.request({ action: 'subscribe', topic: 'admins:1' });
    await stage.realtime.changeRights(role('admin'), { roles: [] });
    expect(await ann.next('realtime:unsubscribed')).toMatchObject({ payload: { topic: 'admins:1' } });
    expect(await stage.realtime.subscribersOf('admins:1')).toEqual([]);
  });

  it('leave it on the topics that they still open', async () => {
    const [ann] = await connected({ roles: ['admin'] });
    await ann.request({ action: 'subscribe', topic: 'admins:1' });
    await stage.realtime.changeRights(all(), { roles: [], permissions: ['enter'] });
    await ann.settled();
    expect(await stage.realtime.publish('admins:1', { type: 'news' })).toEqual(reportOf(ann));
  });

  it('give way to those of a newer token', async () => {
    const [ann] = await connected({ roles: ['guest'] });
    await stage.realtime.changeRights(user('ann'), { roles: ['admin'] });
    await ann.request({ action: 'auth', token: testToken('ann', { roles: ['staff'] }) });
    expect(await stage.realtime.connection(ann.id)).toMatchObject({ roles: new Set(['staff']) });
  });

  it('of nobody are no error', async () => {
    expect(await stage.realtime.changeRights(user('zoe'), { roles: [] })).toEqual(reportOf());
  });
});

describe('revalidating', () => {
  it('ends the connections whose token was revoked, on every node, and no others', async () => {
    const revoked = new Set<unknown>();
    const own = await Stage.set({ options: { isRevoked: ({ jti }) => revoked.has(jti) } });
    const [phone, laptop, tablet] = [
      await own.connectAs('ann', { jti: 'phone' }),
      await own.connectAs('ann', { jti: 'laptop' }),
      await own.connectAs('ann', { jti: 'tablet' }),
    ];
    revoked.add('phone').add('tablet');
    expect(await own.realtime.revalidate(user('ann'))).toEqual(reportOf(phone, laptop, tablet));
    for (const guest of [phone, tablet]) {
      expect(await guest.nextClose()).toEqual({ code: 3500, reason: 'the token has been revoked' });
    }
    await laptop.settled();
  });
});
