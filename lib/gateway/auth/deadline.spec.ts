import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from './deadline.js';

const late = () => new Error('too late');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Work that the test settles. */
function held<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const work = new Promise<T>((onDone, onFail) => ([resolve, reject] = [onDone, onFail]));
  return { work, resolve, reject };
}

describe('work that ends in time', () => {
  it('resolves with its result', async () => {
    expect(await new Deadline(1_000, late).within(Promise.resolve('done'))).toBe('done');
  });

  it('rejects with its own error, of any type', async () => {
    await expect(new Deadline(1_000, late).within(Promise.reject(new TypeError('broken')))).rejects.toThrow('broken');
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- applications do
    await expect(new Deadline(1_000, late).within(Promise.reject('no error at all'))).rejects.toBe('no error at all');
  });

  it('may end at the last moment', async () => {
    const { work, resolve } = held<string>();
    const outcome = new Deadline(1_000, late).within(work);
    await vi.advanceTimersByTimeAsync(999);
    resolve('just so');
    expect(await outcome).toBe('just so');
  });

  it.each(['that succeeds', 'that fails'])('%s leaves no timer behind once the time is over', async (how) => {
    const work = how === 'that fails' ? Promise.reject(new Error('no')) : Promise.resolve();
    await new Deadline(1_000, late).within(work).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not keep the process alive', async () => {
    const unref = vi.fn();
    vi.spyOn(globalThis, 'setTimeout').mockReturnValue({ unref } as never);
    void new Deadline(1_000, late).within(held().work);
    expect(unref).toHaveBeenCalledOnce();
  });

  it('creates no error', async () => {
    const make = vi.fn(late);
    await new Deadline(1_000, make).within(Promise.resolve());
    await vi.advanceTimersByTimeAsync(2_000);
    expect(make).not.toHaveBeenCalled();
  });
});

describe('work that takes longer', () => {
  it('is given up', async () => {
    const outcome = expect(new Deadline(1_000, late).within(held().work)).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
  });

  it('gets the full time, whenever it begins', async () => {
    const deadline = new Deadline(1_000, late);
    const late1 = vi.fn();
    const late2 = vi.fn();
    deadline.within(held().work).catch(late1);
    await vi.advanceTimersByTimeAsync(400);
    deadline.within(held().work).catch(late2);
    await vi.advanceTimersByTimeAsync(599);
    expect(late1).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect([late1.mock.calls.length, late2.mock.calls.length]).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(399);
    expect(late2).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(late2).toHaveBeenCalledOnce();
  });

  it('is given up in time after earlier work has ended, and after an idle time', async () => {
    const deadline = new Deadline(1_000, late);
    await deadline.within(Promise.resolve());
    await vi.advanceTimersByTimeAsync(900);
    const second = vi.fn();
    deadline.within(held().work).catch(second);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(second).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(5_000);
    const third = vi.fn();
    deadline.within(held().work).catch(third);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(third).toHaveBeenCalledOnce();
  });

  it.each(['succeeds', 'fails'])('is ignored when it %s later', async (how) => {
    const unheard = vi.fn();
    process.on('unhandledRejection', unheard);
    const { work, resolve, reject } = held();
    const outcome = expect(new Deadline(1_000, late).within(work)).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
    if (how === 'fails') reject(new Error('much later'));
    else resolve(undefined);
    vi.useRealTimers();
    // Node reports unhandled rejections at the end of a turn.
    await new Promise((resolveTurn) => setImmediate(resolveTurn));
    process.off('unhandledRejection', unheard);
    expect(unheard).not.toHaveBeenCalled();
  });
});
