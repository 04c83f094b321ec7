import { CurrentConnection, MessageBody, OnMessage, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import type { RealtimeConnection } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  receivedBy,
  startRealtimeApp,
  typesReceivedBy,
  type Guest,
  type RealtimeApp,
} from '../../helpers/realtime-app.js';

/** Commands that began (`>1`) and ended (`<1`), in order. */
let log: string[];
/** Opens the gate for handlers that wait. */
let open: () => void;
let gate: Promise<void>;

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('slow')
  async slow(@MessageBody() n: number) {
    log.push(`>${n}`);
    // The later ones are faster: only waiting keeps the order.
    await pause(Math.max(0, 12 - 3 * n));
    log.push(`<${n}`);
    return n;
  }

  @OnMessage('wait')
  async wait(@CurrentConnection() { userId }: RealtimeConnection) {
    log.push(`${userId} waits`);
    await gate;
    return 'waited';
  }

  @OnMessage('count')
  count(@MessageBody() n: number) {
    log.push(`counted ${n}`);
    return n;
  }
}

const message = (type: string, id: string | number, payload?: unknown) => ({
  action: 'message',
  topic: 'desk',
  type,
  id,
  payload,
});

let app: RealtimeApp;

async function arrive(userId: string): Promise<Guest> {
  const guest = await app.connectAs(userId);
  await guest.request({ action: 'subscribe', topic: 'desk' });
  return guest;
}

beforeEach(async () => {
  log = [];
  gate = new Promise((resolve) => (open = resolve));
  app = await startRealtimeApp({ providers: [DeskTopic], options: { limits: { mailboxSize: 4 } } });
});

describe('the commands of one connection', () => {
  it('are handled one after the other, in the order they were sent', async () => {
    const ann = await arrive('ann');
    for (const n of [0, 1, 2, 3]) ann.send(message('slow', n, n));
    const replies = [];
    for (const _n of [0, 1, 2, 3]) replies.push((await ann.next('realtime:reply')).id);
    expect([replies, log]).toEqual([
      [0, 1, 2, 3],
      ['>0', '<0', '>1', '<1', '>2', '<2', '>3', '<3'],
    ]);
  });

  it('do not wait for those of others', async () => {
    const [ann, bob] = [await arrive('ann'), await arrive('bob')];
    ann.send(message('wait', 1));
    expect(await bob.request(message('count', 1, 7))).toMatchObject({ payload: 7 });
    open();
  });

  it('do not wait for those of the same user on another device', async () => {
    const [phone, laptop] = [await arrive('ann'), await arrive('ann')];
    phone.send(message('wait', 1));
    expect(await laptop.request(message('count', 1, 7))).toMatchObject({ payload: 7 });
    open();
  });

  it('wait for a handler that is slow', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    ann.send(message('count', 2, 2));
    expect(await typesReceivedBy(ann)).toEqual([]);
    open();
    expect([await ann.next(), await ann.next()]).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it('go on after a handler that failed', async () => {
    const ann = await arrive('ann');
    ann.send({ ...message('none', 1) });
    ann.send(message('count', 2, 2));
    expect([await ann.next(), await ann.next()]).toMatchObject([{ id: 1, type: 'realtime:error' }, { id: 2 }]);
  });
});

describe('a slow handler', () => {
  it('is overtaken by ping', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    expect(await ann.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
    open();
  });

  it('is overtaken by auth', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    const answer = await ann.request({ action: 'auth', token: testToken('ann', { roles: ['admin'] }) });
    expect(answer).toMatchObject({ type: 'realtime:authenticated' });
    open();
  });

  it('is overtaken by its own cancel', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    ann.send({ action: 'cancel', id: 1 });
    expect(await ann.next()).toMatchObject({ type: 'realtime:complete', id: 1 });
    open();
  });

  it('is not overtaken by subscribe and unsubscribe', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    ann.send({ action: 'unsubscribe', topic: 'desk', id: 2 });
    ann.send({ action: 'subscribe', topic: 'desk', id: 3 });
    expect(await typesReceivedBy(ann)).toEqual([]);
    open();
    expect([await ann.next(), await ann.next(), await ann.next()]).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it('that was cancelled keeps its place until it has settled', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    ann.send({ action: 'cancel', id: 1 });
    await ann.next('realtime:complete');
    ann.send(message('count', 2, 2));
    await ann.settled();
    expect(log).toEqual(['ann waits']);
    open();
    expect(await ann.next()).toMatchObject({ id: 2 });
  });

  it('does not keep messages from arriving', async () => {
    const ann = await arrive('ann');
    ann.send(message('wait', 1));
    await app.realtime.sendToUser('ann', { type: 'news' });
    expect(await ann.next()).toMatchObject({ type: 'news' });
    open();
  });
});

describe('a full mailbox', () => {
  /** More than the mailbox and the network buffers hold, so that the client notices the backpressure. */
  const PADDING = 'x'.repeat(50_000);
  const COUNT = 400;

  /** How much of what a client sent is still with it. */
  const backlog = (guest: Guest) => (guest.socket as unknown as { bufferedAmount: number }).bufferedAmount;

  /** Sends until the server no longer reads; returns once the backlog stays as it is. */
  async function fill(guest: Guest): Promise<void> {
    guest.send(message('wait', 'first'));
    await guest.settled();
    for (let n = 0; n < COUNT; n++) guest.send({ ...message('count', n, n), padding: PADDING });
    let before = -1;
    while (backlog(guest) !== before) {
      before = backlog(guest);
      for (let turn = 0; turn < 200; turn++) await nextTurn();
    }
  }

  it('stops the server from reading', async () => {
    const ann = await arrive('ann');
    await fill(ann);
    expect(backlog(ann)).toBeGreaterThan(0);
    open();
  });

  it('loses nothing, and keeps the order', async () => {
    const ann = await arrive('ann');
    await fill(ann);
    open();
    await ann.next(({ id }) => id === COUNT - 1);
    expect(log).toEqual(['ann waits', ...Array.from({ length: COUNT }, (_, n) => `counted ${n}`)]);
  });

  it('answers everything in order once it is worked off', async () => {
    const ann = await arrive('ann');
    await fill(ann);
    open();
    await ann.next(({ id }) => id === COUNT - 1);
    const ids = (await receivedBy(ann)).map(({ id }) => id);
    expect(ids).toEqual(['first', ...Array.from({ length: COUNT - 1 }, (_, n) => n)]);
  });

  it('does not keep messages from arriving', async () => {
    const ann = await arrive('ann');
    await fill(ann);
    await app.realtime.sendToUser('ann', { type: 'news' });
    expect(await ann.next('news')).toMatchObject({ type: 'news' });
    open();
  });

  it('does not keep the client from being disconnected', async () => {
    const ann = await arrive('ann');
    await fill(ann);
    await app.realtime.disconnect({ kind: 'user', id: 'ann' });
    expect(await ann.nextClose()).toMatchObject({ code: 3503 });
  });

  it('does not keep the client from leaving', async () => {
    const ann = await arrive('ann');
    await fill(ann);
    ann.socket.terminate();
    open();
    await expect.poll(() => app.realtime.counts()).toMatchObject({ connections: 0 });
  });

  it('is that of one connection alone', async () => {
    const [ann, bob] = [await arrive('ann'), await arrive('bob')];
    await fill(ann);
    expect(await bob.request(message('count', 1, 7))).toMatchObject({ payload: 7 });
    open();
  });
});
