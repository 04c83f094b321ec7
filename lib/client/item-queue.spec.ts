import { describe, expect, it } from 'vitest';
import { ItemQueue } from './item-queue.js';

/** A queue, and how it was ended: `early` by its consumer. */
function open(signal?: AbortSignal) {
  const ends: string[] = [];
  const queue = new ItemQueue<number>(signal, (isEarly) => ends.push(isEarly ? 'early' : 'ended'));
  return { queue, ends };
}

async function taken(queue: AsyncIterable<number>): Promise<number[]> {
  const items: number[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

describe('items', () => {
  it('are taken in their order, and then no more', async () => {
    const { queue, ends } = open();
    queue.push(1);
    queue.push(2);
    queue.close();
    queue.push(3);
    expect([await taken(queue), ends]).toEqual([[1, 2], ['ended']]);
  });

  it('go to those who wait for them, in their order', async () => {
    const { queue } = open();
    const [first, second, third] = [queue.next(), queue.next(), queue.next()];
    queue.push(1);
    queue.push(2);
    queue.close();
    expect(await Promise.all([first, second, third])).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
  });

  it('are taken before the error behind them, which is thrown once', async () => {
    const { queue } = open();
    queue.push(1);
    queue.fail(new Error('lost'));
    queue.fail(new Error('twice'));
    expect(await queue.next()).toEqual({ done: false, value: 1 });
    await expect(queue.next()).rejects.toThrow('lost');
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('fail for the one who waits', async () => {
    const { queue } = open();
    const [first, second] = [queue.next(), queue.next()];
    queue.fail(new Error('lost'));
    await expect(first).rejects.toThrow('lost');
    expect(await second).toEqual({ done: true, value: undefined });
  });
});

describe('a consumer that stops', () => {
  it('ends the source, once', async () => {
    const { queue, ends } = open();
    queue.push(1);
    queue.push(2);
    for await (const item of queue) if (item === 1) break;
    await queue.return();
    queue.close();
    expect([ends, await queue.next()]).toEqual([['early'], { done: true, value: undefined }]);
  });

  it('does not wait for an item that is awaited', async () => {
    const { queue } = open();
    const item = queue.next();
    await queue.return();
    expect(await item).toEqual({ done: true, value: undefined });
  });

  it('stops by its signal, whose reason is thrown instead of what has come', async () => {
    const controller = new AbortController();
    const { queue, ends } = open(controller.signal);
    queue.push(1);
    controller.abort(new Error('enough'));
    await expect(queue.next()).rejects.toThrow('enough');
    expect(ends).toEqual(['early']);
  });

  it('stops by a signal that was aborted before', async () => {
    const { queue, ends } = open(AbortSignal.abort(new Error('enough')));
    expect([queue.isOver, ends]).toEqual([true, ['early']]);
    await expect(queue.next()).rejects.toThrow('enough');
  });

  it('is heard no longer by a signal once the stream has ended', async () => {
    const controller = new AbortController();
    const { queue, ends } = open(controller.signal);
    queue.close();
    controller.abort();
    expect([ends, await queue.next()]).toEqual([['ended'], { done: true, value: undefined }]);
  });
});
