import {
  CurrentConnection,
  OnSubscribe,
  role,
  TopicGateway,
  TopicName,
  user,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, vi } from 'vitest';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

/** Lets the handlers go on that judge a topic again. */
let decide: () => void;
let decision: Promise<void> | undefined;
/** How often the handlers were asked. */
let asked = 0;

/** Has the handlers wait with their answers from now on. */
function wait(): void {
  decision = new Promise((resolve) => (decide = resolve));
}

async function enter(me: RealtimeConnection): Promise<boolean> {
  asked += 1;
  await decision;
  return me.roles.has('member');
}

@TopicGateway('plain:{room}', { presence: true })
class Plain {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return enter(me);
  }
}

@TopicGateway('kept:{room}', { history: { size: 10, ttlMs: 60_000 } })
class Kept {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection, @TopicName() _topic: string) {
    return enter(me);
  }
}

const stage = Stage.shared({ providers: [Plain, Kept], options: { authorize: { roles: ['member', 'guest'] } } });

let rooms = 0;

/** Two members of a topic, on different nodes; the rights of the first are about to change. */
async function members(kind: string): Promise<{ topic: string; ann: StageGuest; bob: StageGuest }> {
  decision = undefined;
  const topic = `${kind}:${++rooms}`;
  const ann = await stage.connectAs('ann', { roles: ['member'] });
  const bob = await stage.connectAs('bob', { roles: ['member'] });
  for (const guest of [ann, bob]) await guest.request({ action: 'subscribe', topic });
  asked = 0;
  return { topic, ann, bob };
}

const typesOf = (guest: StageGuest) => guest.pending.map(({ type }) => type);

/** Whatever was sent to the guest before has arrived. */
async function typesSoFar(guest: StageGuest): Promise<string[]> {
  await guest.settled();
  return typesOf(guest).filter((type) => !['realtime:joined', 'realtime:left'].includes(type));
}

describe.each(['plain', 'kept'])('While a handler judges a subscription to a %s topic again', (kind) => {
  it('what is published is held, and given out in order when it stays', async () => {
    const { topic, ann, bob } = await members(kind);
    wait();
    await stage.realtime.changeRights(user('ann'), { permissions: ['more'] });
    for (const type of ['one', 'two']) {
      await stage.realtime.publish(topic, { type });
      await bob.next(type);
    }
    expect(await typesSoFar(ann)).toEqual([]);
    decide();
    for (const type of ['one', 'two']) await ann.next(type);
    await stage.realtime.publish(topic, { type: 'three' });
    await ann.next('three');
  });

  it('what is published is dropped when the subscription ends', async () => {
    const { topic, ann, bob } = await members(kind);
    wait();
    await stage.realtime.changeRights(user('ann'), { roles: ['guest'] });
    await stage.realtime.publish(topic, { type: 'secret' });
    await bob.next('secret');
    decide();
    expect(await ann.next('realtime:unsubscribed')).toMatchObject({ payload: { topic } });
    expect(await typesSoFar(ann)).toEqual([]);
  });

  it('what changed metadata decides is held as well', async () => {
    const { topic, ann, bob } = await members(kind);
    wait();
    await stage.realtime.updateMetadata(user('ann'), { plan: 'free' }, { reauthorize: true });
    await stage.realtime.publish(topic, { type: 'one' });
    await bob.next('one');
    expect(await typesSoFar(ann)).toEqual([]);
    decide();
    await ann.next('one');
  });

  it('what a renewed token decides is held as well', async () => {
    const { topic, ann, bob } = await members(kind);
    wait();
    await ann.request({ action: 'auth', token: testToken('ann', { roles: ['guest'] }) });
    await stage.realtime.publish(topic, { type: 'secret' });
    await bob.next('secret');
    decide();
    await ann.next('realtime:unsubscribed');
    expect(await typesSoFar(ann)).toEqual([]);
  });

  it('messages to the user and to others arrive', async () => {
    const { topic, ann, bob } = await members(kind);
    wait();
    await stage.realtime.changeRights(user('ann'), { permissions: ['more'] });
    expect(await stage.realtime.sendToUser('ann', { type: 'to ann' })).toEqual(reportOf(ann));
    await ann.next('to ann');
    await stage.realtime.publish(topic, { type: 'one' });
    await bob.next('one');
    decide();
    await ann.next('one');
  });
});

describe('While a handler judges a subscription again', () => {
  it('a question about the topic is answered by the newer rights', async () => {
    const { topic, ann } = await members('plain');
    wait();
    await stage.realtime.changeRights(user('ann'), { roles: ['guest'] });
    const answer = ann.request({ action: 'presence', topic });
    await vi.waitFor(() => expect(asked).toBe(1), 15_000);
    await ann.settled();
    decide();
    expect(await answer).toMatchObject({ type: 'realtime:error', payload: { code: 'FORBIDDEN' } });
  });

  it('an older right does not count, whatever its handler answers later', async () => {
    const { topic, ann, bob } = await members('plain');
    wait();
    await stage.realtime.changeRights(user('ann'), { permissions: ['more'] });
    await vi.waitFor(() => expect(asked).toBe(1), 15_000);
    await stage.realtime.changeRights(user('ann'), { roles: ['guest'] });
    await stage.realtime.publish(topic, { type: 'secret' });
    await bob.next('secret');
    decide();
    await ann.next('realtime:unsubscribed');
    expect([await typesSoFar(ann), asked]).toEqual([[], 2]);
  });
});

describe('A connection that loses what every connection must have', () => {
  it('ends, and is told not to come back with these rights', async () => {
    const { ann, bob } = await members('plain');
    expect(await stage.realtime.changeRights(role('member'), { roles: ['member'] })).toMatchObject({ recipients: 2 });
    await stage.realtime.changeRights(user('ann'), { roles: [] });
    expect(await ann.nextClose()).toEqual({ code: 3507, reason: 'A required role is missing.' });
    await bob.settled();
  });
});
