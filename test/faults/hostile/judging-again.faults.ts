import { setTimeout as delay } from 'node:timers/promises';
import {
  CurrentConnection,
  OnSubscribe,
  TopicGateway,
  TopicParam,
  user,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TokenBucket } from '../../../lib/core/base/token-bucket.js';
import { JudgementQueue } from '../../../lib/core/topic/judgement-queue.js';
import { HeldTopics } from '../../../lib/delivery/held-topics.js';
import { startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

const SLOW_MS = 150;
const TOPICS = 20;

@TopicGateway('secret:{name}')
class Secrets {
  static calls = 0;
  static most = 0;
  private static running = 0;

  @OnSubscribe()
  async enter(@CurrentConnection() me: RealtimeConnection, @TopicParam('name') name: string) {
    Secrets.calls += 1;
    if (me.roles.has('spy')) return true;
    Secrets.running += 1;
    Secrets.most = Math.max(Secrets.most, Secrets.running);
    if (name === 'hangs') await new Promise(() => undefined);
    if (name.startsWith('slow')) await delay(SLOW_MS);
    Secrets.running -= 1;
    return me.roles.has('agent');
  }
}

/** A spy on some topics, to which something is published all the time. */
async function spy(names: readonly string[], authTimeoutMs = 10_000): Promise<{ app: RealtimeApp; ann: Guest }> {
  const limits = { authTimeoutMs, maxTopicsPerConnection: 300, commandBurst: 400, commandsPerSecond: 1_000 };
  const app = await startRealtimeApp({ providers: [Secrets], options: { limits } });
  const ann = await app.connectAs('ann', { roles: ['spy'] });
  for (const name of names) await ann.request({ action: 'subscribe', topic: `secret:${name}` });
  Secrets.calls = 0;
  Secrets.most = 0;
  return { app, ann };
}

function publishAllTheTime(app: RealtimeApp, names: readonly string[]): void {
  const timer = setInterval(() => {
    for (const name of names) void app.realtime.publish(`secret:${name}`, { type: 'secret' });
  }, 5);
  onTestFinished(() => clearInterval(timer));
}

const named = (count: number, prefix = 'slow') => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const secretsIn = (guest: Guest) => guest.pending.filter(({ type }) => type === 'secret').length;

/** How many secrets come after the rights were taken away, until all topics but these are left. */
async function leaked(app: RealtimeApp, ann: Guest, names: readonly string[]): Promise<number> {
  publishAllTheTime(app, names);
  await ann.next('secret');
  await app.realtime.changeRights(user('ann'), { roles: [] });
  await ann.settled();
  const before = secretsIn(ann);
  for (let left = names.length; left > 0; left--) await ann.next('realtime:unsubscribed', 20_000);
  await ann.settled();
  return secretsIn(ann) - before;
}

/** Delivers as if nothing was judged. */
function withoutHolds(): void {
  const spyOn = vi.spyOn(HeldTopics.prototype, 'begin').mockImplementation(() => undefined);
  onTestFinished(() => spyOn.mockRestore());
}

describe('Twenty topics whose handlers take 150 ms each', () => {
  it('give nothing away once changeRights() has resolved', async () => {
    const names = named(TOPICS);
    const { app, ann } = await spy(names);
    expect(await leaked(app, ann, names)).toBe(0);
  });

  it('are judged eight at a time', async () => {
    const names = named(TOPICS);
    const { app, ann } = await spy(names);
    await leaked(app, ann, names);
    expect([Secrets.most, Secrets.calls]).toEqual([8, TOPICS]);
  });

  it('twin: go on without holds', async () => {
    withoutHolds();
    const names = named(TOPICS);
    const { app, ann } = await spy(names);
    expect(await leaked(app, ann, names)).toBeGreaterThan(0);
  });
});

describe('A handler that hangs', () => {
  const names = ['hangs', ...named(9, 'quick')];

  it('keeps no other topic open, and loses its own for the moment once its time is over', async () => {
    const { app, ann } = await spy(names, 300);
    publishAllTheTime(app, names);
    await app.realtime.changeRights(user('ann'), { roles: [] });
    await ann.settled();
    const before = secretsIn(ann);
    const ended: Record<string, unknown>[] = [];
    for (let left = names.length; left > 0; left--) ended.push((await ann.next('realtime:unsubscribed')).payload);
    const retryable = ended.filter((payload) => 'retryable' in payload);
    expect([retryable.map(({ topic }) => topic), secretsIn(ann) - before]).toEqual([['secret:hangs'], 0]);
    expect(ended.at(-1)).toMatchObject({ topic: 'secret:hangs' });
  });

  it('twin: stays without an answer for as long as there is no deadline', async () => {
    const late = vi.spyOn(JudgementQueue.prototype, 'late').mockReturnValue(undefined);
    onTestFinished(() => late.mockRestore());
    const { app, ann } = await spy(names, 300);
    await app.realtime.changeRights(user('ann'), { roles: [] });
    for (let left = names.length - 1; left > 0; left--) await ann.next('realtime:unsubscribed');
    await delay(600);
    expect(await app.realtime.topicsOf(ann.id)).toEqual(['secret:hangs']);
  });

  it('does not end a connection that has more published to it than can be held, and the client may come back', async () => {
    const { app, ann } = await spy(['hangs']);
    await app.realtime.changeRights(user('ann'), { roles: [] });
    const payload = 'x'.repeat(50_000);
    for (let n = 0; n < 20; n++) await app.realtime.publish('secret:hangs', { type: 'secret', payload });
    expect((await ann.next('realtime:unsubscribed')).payload).toMatchObject({ topic: 'secret:hangs', retryable: true });
    await ann.settled();
    expect(secretsIn(ann)).toBe(0);
  });
});

describe('Two tokens that take turns', () => {
  const names = named(100, 'quick');
  const TURNS = 30;

  /** How many handler calls they cause. */
  async function calls(): Promise<number> {
    const { ann } = await spy(names);
    const tokens = [testToken('ann', { roles: ['agent'] }), testToken('ann', { roles: ['agent', 'x'] })];
    const startedAt = performance.now();
    for (let n = 0; n < TURNS; n++) {
      await ann.request({ action: 'auth', token: tokens[n % 2]! });
      // Time for judgements between one token and the next.
      for (let trips = 0; trips < 5; trips++) await ann.settled();
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await delay(1_500);
    // One pass a second is to be had for nothing.
    return Secrets.calls - Math.floor(seconds + 1.5) * names.length;
  }

  it('have the topics judged a few times', async () => {
    // Five in a row, and one more that was delayed.
    expect(await calls()).toBeLessThanOrEqual(7 * names.length);
  });

  it('twin: have them judged each time without a limit', async () => {
    const take = vi.spyOn(TokenBucket.prototype, 'take').mockReturnValue(0);
    onTestFinished(() => take.mockRestore());
    expect(await calls()).toBeGreaterThan(8 * names.length);
  });
});
