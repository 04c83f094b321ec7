import { describe, expect, it } from 'vitest';
import { DeferredFrames } from './deferred-frames.js';

describe('frames that wait to be decoded', () => {
  it('are given out in the order of their arrival', () => {
    const frames = new DeferredFrames();
    for (const text of ['a', undefined, 'b']) frames.push({ text });
    expect([1, 2, 3, 4].map(() => frames.shift()?.text)).toEqual(['a', undefined, 'b', undefined]);
  });

  it('come after the rest of a frame that was begun', () => {
    const frames = new DeferredFrames();
    frames.push({ text: 'b' });
    frames.putBack({ text: 'a', commands: [][Symbol.iterator]() });
    expect([frames.shift()?.text, frames.shift()?.text]).toEqual(['a', 'b']);
  });

  it('are counted with their text until they are given out', () => {
    const frames = new DeferredFrames();
    frames.push({ text: 'x'.repeat(1_000) });
    frames.putBack({ text: 'y'.repeat(500) });
    const waiting = frames.bytes;
    frames.shift();
    frames.shift();
    expect([waiting >= 1_500, waiting < 4_000, frames.bytes]).toEqual([true, true, 0]);
  });
});
