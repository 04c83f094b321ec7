import { describe, expect, it, vi } from 'vitest';
import { NodeDrain } from './node-drain.js';

describe('the end of a node’s service', () => {
  it('has not begun before somebody asks for it', () => {
    expect(new NodeDrain().isDraining).toBe(false);
  });

  it('has begun as soon as somebody asks for it', () => {
    const drain = new NodeDrain();
    void drain.start();
    expect(drain.isDraining).toBe(true);
  });

  it('is over when all that was to be ended has ended', async () => {
    const drain = new NodeDrain();
    let end!: () => void;
    drain.onStart(() => undefined);
    drain.onStart(() => new Promise<void>((resolve) => (end = resolve)));
    let isOver = false;
    const over = drain.start().then(() => (isOver = true));
    await new Promise(setImmediate);
    const early = isOver;
    end();
    await over;
    expect([early, isOver]).toEqual([false, true]);
  });

  it('is the same for all who ask', () => {
    const drain = new NodeDrain();
    const work = vi.fn();
    drain.onStart(work);
    expect([drain.start() === drain.start(), work.mock.calls.length]).toEqual([true, 1]);
  });

  it('begins everything, even if some of it fails, and says so', async () => {
    const drain = new NodeDrain();
    const work = vi.fn();
    drain.onStart(() => {
      throw new Error('stuck');
    });
    drain.onStart(work);
    await expect(drain.start()).rejects.toThrow('stuck');
    expect(work).toHaveBeenCalledOnce();
  });
});
