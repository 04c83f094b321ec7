import { OnSubscribe, RealtimeError, TopicGateway } from 'nestjs-realtime';
import { HistoryStore } from 'nestjs-realtime/ports';
import { beforeEach, describe, expect, it } from 'vitest';
import { startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

const HISTORY = { size: 50, ttlMs: 60_000 };

@TopicGateway('log:{name}', { history: HISTORY })
class LogTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

@TopicGateway('secret:{name}', { history: HISTORY, clientAccess: false })
class SecretTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

const TOPIC = 'log:1';

describe('what was missed', () => {
  it.each([
    ['fits into half of what may wait for a connection', 'x'.repeat(400), 10],
    ['is several times as much as may wait for a connection', 'x'.repeat(600), 45],
    ['has fewer characters, but more bytes', '語'.repeat(200), 45],
    ['has publications that are each larger than a page', 'x'.repeat(8_000), 20],
  ])('is recovered when it %s', async (_what, payload, count) => {
    const app = await startRealtimeApp({ providers: [LogTopic], options: { limits: { sendQueueBytes: 10_240 } } });
    const { epoch } = await app.realtime.publish(TOPIC, { type: 'first' });
    for (let n = 0; n < count; n++) await app.realtime.publish(TOPIC, { type: 'entry', payload });
    const ann = await app.connectAs('ann');
    const answer = await ann.request({ action: 'subscribe', topic: TOPIC, recover: { epoch, offset: 1 } });
    expect(answer.payload).toEqual({ topic: TOPIC, epoch, offset: 1, recovered: true });
    await app.realtime.publish(TOPIC, { type: 'live' });
    for (let n = 2; n <= count + 1; n++) expect(await ann.next()).toMatchObject({ type: 'entry', offset: n });
    expect(await ann.next()).toMatchObject({ type: 'live', offset: count + 2 });
  });
});

describe('a history that the application keeps to itself', () => {
  it('is not told to subscribers, and read by the server', async () => {
    const app = await startRealtimeApp({ providers: [SecretTopic] });
    await app.realtime.publish('secret:1', { type: 'entry' });
    const ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'secret:1' });
    const answer = await ann.request({ action: 'history', topic: 'secret:1' });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'FORBIDDEN' } });
    expect((await app.realtime.history('secret:1')).publications).toHaveLength(1);
  });

  it('is recovered by subscribers all the same', async () => {
    const app = await startRealtimeApp({ providers: [SecretTopic] });
    const { epoch } = await app.realtime.publish('secret:1', { type: 'entry' });
    const ann = await app.connectAs('ann');
    const recover = { epoch, offset: 0 };
    const answer = await ann.request({ action: 'subscribe', topic: 'secret:1', recover });
    expect(answer.payload).toMatchObject({ recovered: true });
    expect(await ann.next('entry')).toMatchObject({ offset: 1 });
  });
});

describe('while the history cannot be read', () => {
  it('a subscription is refused for the moment, and made when it can be', async () => {
    const away = new RealtimeError('UNAVAILABLE', 'away for the test');
    const top = { epoch: 'e1', offset: 0 };
    let isAway = true;
    const store: HistoryStore = {
      publish: () => Promise.reject(away),
      read: () => (isAway ? Promise.reject(away) : Promise.resolve({ top, publications: [] })),
    };
    const app = await startRealtimeApp({
      providers: [LogTopic],
      ports: [{ provide: HistoryStore, useValue: store }],
    });
    const ann = await app.connectAs('ann');
    const subscribe = () => ann.request({ action: 'subscribe', topic: TOPIC });
    expect(await subscribe()).toMatchObject({ type: 'realtime:error', payload: { code: 'UNAVAILABLE' } });
    expect((await app.realtime.counts()).subscriptions).toBe(0);
    await expect(app.realtime.publish(TOPIC, { type: 'entry' })).rejects.toBe(away);
    isAway = false;
    expect(await subscribe()).toMatchObject({ payload: { topic: TOPIC, ...top } });
  });
});

describe('while the history is being read', () => {
  /** Reads that are answered when the test says so. */
  let reads: (() => void)[];
  let app: RealtimeApp;
  let ann: Guest;

  beforeEach(async () => {
    reads = [];
    const page = { top: { epoch: 'e1', offset: 0 }, publications: [] };
    const store: HistoryStore = {
      publish: () => Promise.reject(new Error('nothing is published')),
      read: () => new Promise((resolve) => reads.push(() => resolve(page))),
    };
    app = await startRealtimeApp({ providers: [LogTopic], ports: [{ provide: HistoryStore, useValue: store }] });
    ann = await app.connectAs('ann');
  });

  const answerReads = async (count = 1) => {
    await expect.poll(() => reads).toHaveLength(count);
    for (const answer of reads.splice(0)) answer();
  };

  it('a client may ask for what the server is subscribing it to, and both are told', async () => {
    const events: string[] = [];
    app.realtime.events$.subscribe(({ type }) => void events.push(type));
    const byServer = app.realtime.subscribe(ann.id, TOPIC);
    await expect.poll(() => reads).toHaveLength(1);
    ann.send({ action: 'subscribe', topic: TOPIC, id: 1 });
    ann.send({ action: 'ping', id: 2 });
    await ann.next(({ id }) => id === 2);
    await answerReads();
    await answerReads();
    expect(await ann.next(({ id }) => id === 1)).toMatchObject({ type: 'realtime:subscribed' });
    expect(await byServer).toBe(true);
    expect(events).toEqual(['subscribed']);
  });

  it('a client whose subscription the server ends and begins anew is told how its own has ended', async () => {
    ann.send({ action: 'subscribe', topic: TOPIC, id: 1 });
    await expect.poll(() => reads).toHaveLength(1);
    const [ended, begun] = [app.realtime.unsubscribe(ann.id, TOPIC), app.realtime.subscribe(ann.id, TOPIC)];
    expect((await ann.next(({ id }) => id === 1)).type).toBe('realtime:error');
    await answerReads(2);
    expect([await ended, await begun]).toEqual([true, true]);
  });
});
