import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Inbox } from './inbox.js';

let inbox: Inbox<number>;
beforeEach(() => {
  inbox = new Inbox('number');
});

const isEven = (n: number) => n % 2 === 0;

describe('taking', () => {
  it('gives the oldest item', async () => {
    [1, 2].forEach((n) => inbox.put(n));
    expect([await inbox.take(), await inbox.take()]).toEqual([1, 2]);
  });

  it('gives the oldest item that fits, and leaves the others', async () => {
    [1, 2, 4].forEach((n) => inbox.put(n));
    expect([await inbox.take(isEven), inbox.items]).toEqual([2, [1, 4]]);
  });

  it('waits for an item that comes later', async () => {
    const taken = inbox.take();
    inbox.put(1);
    expect([await taken, inbox.items]).toEqual([1, []]);
  });

  it('waits for an item that fits, and keeps the others', async () => {
    const taken = inbox.take(isEven);
    [1, 2].forEach((n) => inbox.put(n));
    expect([await taken, inbox.items]).toEqual([2, [1]]);
  });

  it('twice gives two items, to the first who asked first', async () => {
    const [first, second] = [inbox.take(), inbox.take()];
    [1, 2].forEach((n) => inbox.put(n));
    expect([await first, await second]).toEqual([1, 2]);
  });
});

describe('waiting in vain', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** The error after that many milliseconds; undefined while it is still waiting. */
  async function errorAfter(ms: number, waiting: Promise<unknown>): Promise<Error | undefined> {
    let error: Error | undefined;
    waiting.catch((reason: Error) => (error = reason));
    await vi.advanceTimersByTimeAsync(ms);
    return error;
  }

  it('ends at its deadline', async () => {
    const waiting = inbox.take(undefined, 100);
    expect([await errorAfter(99, waiting), await errorAfter(1, waiting)]).toEqual([undefined, expect.any(Error)]);
  });

  it('ends before a test runner gives up', async () => {
    expect(await errorAfter(4_999, inbox.take())).toBeDefined();
  });

  it('says what was waited for, how long, and what had arrived instead', async () => {
    inbox.put(1);
    const waiting = inbox.take(isEven, 100);
    inbox.put(3);
    expect((await errorAfter(100, waiting))!.message).toBe('No such number within 100 ms; waiting to be taken: [1,3]');
  });

  it('leads to the place that waits', async () => {
    const error = await errorAfter(100, inbox.take(isEven, 100));
    expect(error!.stack).toContain('inbox.spec');
  });

  it('leaves what comes later to others', async () => {
    await errorAfter(100, inbox.take(isEven, 100));
    inbox.put(2);
    expect(await inbox.take()).toBe(2);
  });

  it('leaves no timer running when it was not in vain', async () => {
    const taken = inbox.take();
    inbox.put(1);
    await taken;
    expect(vi.getTimerCount()).toBe(0);
  });
});
