import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withinDeadline } from './deadline.js';

const late = () => new Error('too late');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work whose end the test decides on. */
function held<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const work = new Promise<T>((onDone, onFail) => ([resolve, reject] = [onDone, onFail]));
  return { work, resolve, reject };
}

describe('work that ends in time', () => {
  it('gives what it comes to', async () => {
    expect(await withinDeadline(Promise.resolve('done'), 1_000, late)).toBe('done');
  });

  it('fails with what it fails with, whatever that is', async () => {
    await expect(withinDeadline(Promise.reject(new TypeError('broken')), 1_000, late)).rejects.toThrow('broken');
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- applications do
    await expect(withinDeadline(Promise.reject('no error at all'), 1_000, late)).rejects.toBe('no error at all');
  });

  it('may take until the last moment', async () => {
    const { work, resolve } = held<string>();
    const outcome = withinDeadline(work, 1_000, late);
    await vi.advanceTimersByTimeAsync(999);
    resolve('just so');
    expect(await outcome).toBe('just so');
  });

  it.each(['that succeeds', 'that fails'])('%s leaves no timer behind', async (how) => {
    const work = how === 'that fails' ? Promise.reject(new Error('no')) : Promise.resolve();
    await withinDeadline(work, 1_000, late).catch(() => undefined);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has no error made for it', async () => {
    const make = vi.fn(late);
    await withinDeadline(Promise.resolve(), 1_000, make);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(make).not.toHaveBeenCalled();
  });
});

describe('work that takes longer', () => {
  it('is not waited for any more', async () => {
    const outcome = expect(withinDeadline(held().work, 1_000, late)).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
  });

  it.each(['succeeds', 'fails'])('is nobody’s concern when it %s then', async (how) => {
    const unheard = vi.fn();
    process.on('unhandledRejection', unheard);
    const { work, resolve, reject } = held();
    const outcome = expect(withinDeadline(work, 1_000, late)).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
    if (how === 'fails') reject(new Error('much later'));
    else resolve(undefined);
    vi.useRealTimers();
    // Node tells of rejections that nobody has heard at the end of a turn.
    await new Promise((resolveTurn) => setImmediate(resolveTurn));
    process.off('unhandledRejection', unheard);
    expect(unheard).not.toHaveBeenCalled();
  });
});
