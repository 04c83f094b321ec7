import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StreamSource } from './stream-source.js';

/** An iterable whose items come when the test gives them. */
class ManualSource implements AsyncIterable<number>, AsyncIterator<number> {
  asked = 0;
  returned = 0;
  #give: ((result: IteratorResult<number>) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<number>> {
    this.asked += 1;
    return new Promise((give, fail) => {
      this.#give = give;
      this.#fail = fail;
    });
  }

  return(): Promise<IteratorResult<number>> {
    this.returned += 1;
    return new Promise(() => undefined);
  }

  give(value: number): void {
    this.#give!({ value });
  }

  fail(): void {
    this.#fail!(new Error('too late'));
  }
}

describe('a source', () => {
  it('is asked for one item at a time, and only when somebody waits', async () => {
    const manual = new ManualSource();
    const source = new StreamSource(() => manual);
    await delay(5);
    expect(manual.asked).toBe(0);
    const first = source.next();
    await delay(5);
    manual.give(1);
    expect(await first).toEqual({ kind: 'item', item: 1 });
    await delay(5);
    expect(manual.asked).toBe(1);
  });

  it('reminds in time, without losing the item that comes then', async () => {
    const manual = new ManualSource();
    const source = new StreamSource(() => manual);
    source.remind(5);
    expect(await source.next()).toEqual({ kind: 'due' });
    manual.give(1);
    expect(await source.next()).toEqual({ kind: 'item', item: 1 });
    expect(manual.asked).toBe(1);
  });

  it('says that it is due before an item that is there, too', async () => {
    const manual = new ManualSource();
    const source = new StreamSource(() => manual);
    const first = source.next();
    manual.give(1);
    await first;
    source.remind(0);
    await delay(5);
    expect(await source.next()).toEqual({ kind: 'due' });
  });

  it('does not remind when it was told to forget', async () => {
    const source = new StreamSource(() => new ManualSource());
    source.remind(1);
    source.forget();
    const next = source.next();
    expect(await Promise.race([next, delay(20, 'nothing')])).toBe('nothing');
    source.interrupt();
    expect(await next).toEqual({ kind: 'interrupted' });
  });

  it('is aborted and returned when it is interrupted, once, and is not waited for', async () => {
    const manual = new ManualSource();
    let signal: AbortSignal | undefined;
    const source = new StreamSource((given) => {
      signal = given;
      return manual;
    });
    const next = source.next();
    await delay(1);
    source.interrupt();
    source.interrupt();
    expect(await next).toEqual({ kind: 'interrupted' });
    expect([signal!.aborted, manual.returned]).toEqual([true, 1]);
    expect(await source.next()).toEqual({ kind: 'interrupted' });
  });

  it('may fail after that, which nobody hears', async () => {
    const manual = new ManualSource();
    const source = new StreamSource(() => manual);
    const next = source.next();
    await delay(1);
    source.interrupt();
    manual.fail();
    await delay(1);
    expect(await next).toEqual({ kind: 'interrupted' });
  });

  it('is returned when it is interrupted by its own opening', async () => {
    const manual = new ManualSource();
    const source: StreamSource = new StreamSource(() => {
      source.interrupt();
      return manual;
    });
    expect(await source.next()).toEqual({ kind: 'interrupted' });
    expect([manual.asked, manual.returned]).toEqual([0, 1]);
  });

  it.each<[string, () => never]>([
    ['nothing', () => undefined as never],
    ['a list', () => [1] as never],
    ['a promise', () => Promise.resolve([1]) as never],
  ])('that is %s has failed', async (_what, open) => {
    const news = await new StreamSource(open).next();
    expect(news).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('AsyncIterable') } });
  });

  it('may have a return() that throws', async () => {
    const iterator = {
      next: () => new Promise<never>(() => undefined),
      return: () => {
        throw new Error('no');
      },
    };
    const source = new StreamSource(() => ({ [Symbol.asyncIterator]: () => iterator }));
    const next = source.next();
    source.interrupt();
    expect(await next).toEqual({ kind: 'interrupted' });
  });
});
