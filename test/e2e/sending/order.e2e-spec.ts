import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealtimeService } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { receivedBy, startRealtimeApp } from '../../helpers/realtime-app.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** The numbers of the messages that have arrived, in their order. */
async function numbersReceivedBy(client: TestClient): Promise<unknown[]> {
  return (await receivedBy(client)).map(({ payload }) => payload);
}

describe('messages that are sent in one turn', () => {
  const sendAll = (realtime: RealtimeService) =>
    Promise.all(numbers(100).map((n) => realtime.sendToUser('ann', { type: 'tick', payload: n })));

  it('arrive in the order they were sent', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const ann = await connectAs('ann');
    await sendAll(realtime);
    expect(await numbersReceivedBy(ann)).toEqual(numbers(100));
  });

  it('arrive together', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const ann = await connectAs('ann');
    let chunks = 0;
    (ann.socket as unknown as { _socket: Socket })._socket.on('data', () => (chunks += 1));
    await sendAll(realtime);
    await ann.next(({ payload }) => payload === 99);
    expect(chunks).toBeLessThan(10);
  });

  it('arrive in order behind answers, and before those that come later', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const ann = await connectAs('ann');
    ann.send({ action: 'ping', id: 'before' });
    await ann.next('realtime:pong');
    void realtime.sendToUser('ann', { type: 'tick', payload: 1 });
    void realtime.broadcast({ type: 'tick', payload: 2 });
    void realtime.sendToConnection(ann.id, { type: 'tick', payload: 3 });
    expect(await numbersReceivedBy(ann)).toEqual([1, 2, 3]);
  });
});

describe('a topic', () => {
  it('has one order for all its subscribers, whoever publishes and when', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const guests = await Promise.all(numbers(5).map((n) => connectAs(`user-${n}`)));
    for (const guest of guests) {
      await realtime.subscribe(guest.id, 'feed');
      await guest.next('realtime:subscribed');
    }
    const publish = async (publisher: number) => {
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
    const { realtime, connectAs } = await startRealtimeApp();
    const ann = await connectAs('ann');
    await realtime.subscribe(ann.id, 'feed');
    await ann.next('realtime:subscribed');
    for (const n of numbers(50)) {
      await realtime.publish('feed', { type: 'tick', payload: n });
      if (n % 7 === 0) await nextTurn();
    }
    expect(await numbersReceivedBy(ann)).toEqual(numbers(50));
  });
});

describe('1,000 messages to 20 clients', () => {
  it('arrive at each of them, all and in order', async () => {
    const { realtime, connectAs } = await startRealtimeApp();
    const guests = await Promise.all(numbers(20).map((n) => connectAs(`user-${n}`)));
    for (const n of numbers(1_000)) await realtime.broadcast({ type: 'tick', payload: n });

    for (const guest of guests) expect(await numbersReceivedBy(guest)).toEqual(numbers(1_000));
  });
});
