import { MessageBody, OnMessage, TopicGateway } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../helpers/manual-clock.js';
import { startRealtimeApp, type Guest } from '../../helpers/realtime-app.js';

@TopicGateway('desk')
class DeskTopic {
  @OnMessage('count', { requireSubscription: false })
  count(@MessageBody() payload: unknown[]) {
    return payload.length;
  }
}

const DEFAULT_RATE = { commandsPerSecond: 20, commandBurst: 100 };

/** A client within the default rate of commands. The clock stands still, so that no token comes. */
async function guest(limits = DEFAULT_RATE, clock = new ManualClock()): Promise<Guest> {
  const ports = [{ provide: Clock, useValue: clock }];
  const { connectAs } = await startRealtimeApp({ providers: [DeskTopic], ports, options: { limits } });
  return connectAs('ann');
}

const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [n.toString(36), 0]));
const objects = (count: number) => Array.from({ length: count }, () => keys(899));
const message = (payload: unknown) => ({ action: 'message', topic: 'desk', type: 'count', payload });

/** Sends the command again and again. @returns how many are answered before the rate limit is used up */
async function answered(client: Guest, command: Record<string, unknown> | string, atMost = 120): Promise<number> {
  for (let count = 0; count < atMost; count++) {
    const text = typeof command === 'string' ? command : JSON.stringify({ ...command, id: 1 });
    client.send(text);
    const { payload } = await client.next(({ type }) => type === 'realtime:reply' || type === 'realtime:error', 15_000);
    if (payload?.code === 'RATE_LIMITED') return count;
  }
  return atMost;
}

describe('The rate of commands lets a client have', () => {
  it.each<[what: string, command: Record<string, unknown> | string, count: number]>([
    ['100 messages of 900 values', message(objects(1)), 100],
    ['20 messages of 4,500 short keys', message(objects(5)), 20],
    ['12 messages of 8,100 values in lists', message(Array.from({ length: 9 }, () => Array(899).fill(0))), 12],
    ['13 messages of 7,500 short keys in one object, which are refused', message(keys(7_500)), 13],
    ['12 frames of as many short keys without an end', JSON.stringify(message(keys(7_500))).slice(0, -1), 12],
    ['12 frames that are one list', JSON.stringify(Array.from({ length: 72 }, () => keys(120))), 12],
  ])('%s', async (_what, command, count) => {
    const client = await guest();
    const found = await answered(client, command);
    expect(found).toBeGreaterThanOrEqual(count - 2);
    expect(found).toBeLessThanOrEqual(count + 2);
  });

  it('another one when it has waited for what it owes', async () => {
    const clock = new ManualClock();
    const client = await guest(DEFAULT_RATE, clock);
    expect(await answered(client, message(objects(5)))).toBe(20);
    clock.advance(1_000);
    expect((await client.request(message(objects(5)), 15_000)).type).toBe('realtime:reply');
  });

  it('as many as it likes without a rate (twin)', async () => {
    const client = await guest({ commandsPerSecond: Infinity, commandBurst: Infinity });
    expect(await answered(client, message(objects(5)), 40)).toBe(40);
  });
});
