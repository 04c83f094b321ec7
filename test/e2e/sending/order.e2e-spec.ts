import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealtimeService } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { receivedBy } from '../../helpers/realtime-app.js';
import { Stage } from '../../helpers/stage.js';

const stage = Stage.shared();

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** The numbers of the messages that have arrived, in their order. */
async function numbersReceivedBy(client: TestClient): Promise<unknown[]> {
  return (await receivedBy(client)).map(({ payload }) => payload);
}

describe('messages that are sent in one turn', () => {
  const sendAll = (realtime: RealtimeService) =>
    Promise.all(numbers(100).map((n) => realtime.sendToUser('ann', { type: 'tick', payload: n })));

  it('arrive in the order they were sent', async () => {
    const ann = await stage.connectAs('ann');
    await sendAll(stage.realtime);
    expect(await numbersReceivedBy(ann)).toEqual(numbers(100));
  });

  it('arrive together', async () => {
    const ann = await stage.connectAs('ann');
    let chunks = 0;
    (ann.socket as unknown as { _socket: Socket })._socket.on('data', () => (chunks += 1));
    await sendAll(stage.realtime);
    await ann.next(({ payload }) => payload === 99);
    expect(chunks).toBeLessThan(10);
  });

  it('arrive in order although nobody waits for their reports', async () => {
    const ann = await stage.connectAs('ann');
    void stage.realtime.sendToUser('ann', { type: 'tick', payload: 1 });
    void stage.realtime.sendToUser('ann', { type: 'tick', payload: 2 }, { report: false });
    await stage.realtime.sendToUser('ann', { type: 'tick', payload: 3 });
    expect(await numbersReceivedBy(ann)).toEqual([1, 2, 3]);
  });
});

describe('a topic', () => {
  it('has one order for all its subscribers, whoever publishes, where and when', async () => {
    const guests = await Promise.all(numbers(6).map((n) => stage.connectAs(`user-${n}`)));
    for (const guest of guests) await stage.subscribe(guest, 'feed');
    const publish = async (publisher: number) => {
      const { realtime } = stage.nodes[publisher % stage.nodes.length]!;
      for (const n of numbers(50)) {
        await realtime.publish('feed', { type: 'tick', payload: publisher * 1_000 + n });
        if ((n + publisher) % 3 === 0) await nextTurn();
      }
    };
    await Promise.all(numbers(4).map(publish));

    const orders = await Promise.all(guests.map(numbersReceivedBy));
    expect(orders[0]).toHaveLength(200);
    for (const order of orders) expect(order).toEqual(orders[0]);
  });

  it('keeps the order of one publisher', async () => {
    const ann = await stage.connectAs('ann');
    await stage.subscribe(ann, 'feed');
    for (const n of numbers(50)) {
      await stage.realtime.publish('feed', { type: 'tick', payload: n });
      if (n % 7 === 0) await nextTurn();
    }
    expect(await numbersReceivedBy(ann)).toEqual(numbers(50));
  });
});

describe('1,000 messages to 21 clients', () => {
  it('arrive at each of them, all and in order', async () => {
    const guests = await Promise.all(numbers(21).map((n) => stage.connectAs(`user-${n}`)));
    const turns = numbers(20).map((turn) => numbers(50).map((n) => turn * 50 + n));
    for (const turn of turns) {
      await Promise.all(turn.map((n) => stage.realtime.broadcast({ type: 'tick', payload: n })));
    }
    for (const guest of guests) expect(await numbersReceivedBy(guest)).toEqual(numbers(1_000));
  });
});
