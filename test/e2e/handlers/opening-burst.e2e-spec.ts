import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { RealtimeSettings } from '../../../lib/options/realtime.options.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

@TopicGateway('hall:{id}', { history: { size: 10, ttlMs: 60_000 }, presence: true })
class Halls {
  @OnSubscribe() async join() {
    return true;
  }
}

/** A plain client of an application with the limits that the package has by itself. */
async function visit() {
  const { limits } = new RealtimeSettings({});
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
});
