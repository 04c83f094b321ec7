import { OnMessage, OnSubscribe, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { RealtimeSettings } from '../../../lib/options/realtime.options.js';
import { startRealtimeApp, type Guest } from '../../helpers/realtime-app.js';

@TopicGateway('hall:{id}', { history: { size: 10, ttlMs: 60_000 }, presence: true })
class Halls {
  @OnSubscribe() async join() {
    return true;
  }

  @OnMessage('say', { requireSubscription: false }) say() {
    return 'heard';
  }
}

/** A plain client of an application with the limits that the package has by itself. */
async function visit(other: RealtimeLimits = {}) {
  const limits = { ...new RealtimeSettings({}).limits, ...other };
  const app = await startRealtimeApp({ providers: [Halls], options: { limits } });
  return app.connectAs('ann');
}

const topics = (count: number) => Array.from({ length: count }, (_, n) => `hall:${n}`);

describe('a client that has just been welcomed', () => {
  it('subscribes to as many topics as it may have, and reads the presence and the history of each, at once', async () => {
    const client = await visit();
    for (const action of ['subscribe', 'presence', 'history']) {
      for (const topic of topics(128)) client.send({ action, id: `${action} ${topic}`, topic });
    }
    await client.next(({ id }) => id === 'history hall:127');
    await client.settled();
    const answers = client.pending.filter(({ type }) => type !== 'realtime:joined');
    expect(answers.filter(({ type }) => type === 'realtime:error')).toEqual([]);
    expect(answers.length).toBe(3 * 128 - 1);
  });

  it.each([300, 1_000])('keeps 128 of %i topics, is refused the others one by one, and stays', async (count) => {
    const client = await visit();
    const closed = client.nextClose().then(() => 'closed');
    closed.catch(() => undefined);
    const answers = new Map<string, string>();
    let open = topics(count);
    while (open.length > 0) {
      for (const topic of open) client.send({ action: 'subscribe', id: topic, topic });
      let retryAfterMs = 0;
      for (const _topic of open) {
        const { id, type, payload } = await client.next((frame) => frame.id !== undefined);
        const answer = type === 'realtime:error' ? payload.code : type;
        if (answer === 'RATE_LIMITED') retryAfterMs = Math.max(retryAfterMs, Math.min(payload.retryAfterMs, 100));
        else answers.set(id as string, answer);
      }
      open = open.filter((topic) => !answers.has(topic));
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
    const codes = [...answers.values()];
    expect(codes.filter((code) => code === 'realtime:subscribed').length).toBe(128);
    expect(codes.filter((code) => code === 'LIMIT_EXCEEDED').length).toBe(count - 128);
  });

  it('is answered 3,000 pings that it sends at once, most of them with RATE_LIMITED, and stays', async () => {
    const client = await visit();
    for (let id = 1; id <= 3_000; id++) client.send({ action: 'ping', id });
    await client.next(({ id }) => id === 3_000);
    const answers = client.pending.filter(({ id }) => id !== undefined);
    const refused = answers.filter(({ payload }) => payload?.code === 'RATE_LIMITED').length;
    expect([answers.length, answers.filter(({ type }) => type === 'realtime:pong').length + refused]).toEqual([
      2_999, 2_999,
    ]);
    expect(refused).toBeGreaterThan(2_000);
    await laterServed(client);
  });

  it('is answered all that it sends again when it is told to, and stays', async () => {
    const client = await visit({ commandsPerSecond: 200, commandBurst: 20, maxViolationsPerMinute: 1 });
    const unanswered = new Set(Array.from({ length: 300 }, (_, n) => n));
    let refused = 0;
    for (const id of unanswered) client.send({ action: 'ping', id });
    while (unanswered.size > 0) {
      const { id, type, payload } = await client.next((frame) => frame.id !== undefined);
      if (type === 'realtime:pong') unanswered.delete(id as number);
      else {
        expect(payload).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
        refused += 1;
        setTimeout(() => client.send({ action: 'ping', id }), payload.retryAfterMs);
      }
    }
    expect(refused).toBeGreaterThan(200);
    client.send({ action: 'ping', id: 'still here' });
    await client.next(({ id }) => id === 'still here');
  });

  it('is not blamed for messages that are read in many pieces, since it sent them before it was refused', async () => {
    const client = await visit({ maxViolationsPerMinute: 2 });
    const payload = 'x'.repeat(1_000);
    // About 60 of them are read at a time; the pauses in between add up to a second and a half.
    for (let id = 1; id <= 360; id++) client.send({ action: 'message', topic: 'hall:1', type: 'say', id, payload });
    await client.next(({ id }) => id === 360);
    expect(client.pending.filter(({ id }) => id !== undefined).length).toBe(359);
    await laterServed(client);
  });
});

/** Waits until the client is served again, which asks again when it is told to. */
async function laterServed(client: Guest): Promise<void> {
  for (;;) {
    client.send({ action: 'ping', id: 'later' });
    const { type, payload } = await client.next(({ id }) => id === 'later');
    if (type === 'realtime:pong') return;
    await new Promise((resolve) => setTimeout(resolve, payload.retryAfterMs));
  }
}
