import { describe, expect, it } from 'vitest';
import { DeferredFrames } from './deferred-frames.js';

describe('frames that wait to be decoded', () => {
  it('are given out in the order of their arrival', () => {
    const frames = new DeferredFrames();
    for (const payload of ['a', undefined, 'b']) frames.push({ payload });
    expect([1, 2, 3, 4].map(() => frames.shift()?.payload)).toEqual(['a', undefined, 'b', undefined]);
  });

  it('come after the rest of a frame that was begun', () => {
    const frames = new DeferredFrames();
    frames.push({ payload: 'b' });
    frames.putBack({ payload: 'a', commands: [][Symbol.iterator]() });
    expect([frames.shift()?.payload, frames.shift()?.payload]).toEqual(['a', 'b']);
  });

  it('are counted with their text until they are given out', () => {
    const frames = new DeferredFrames();
    frames.push({ payload: 'x'.repeat(1_000) });
    frames.putBack({ payload: 'y'.repeat(500) });
    const waiting = frames.bytes;
    frames.shift();
    frames.shift();
    expect([waiting >= 1_500, waiting < 4_000, frames.bytes]).toEqual([true, true, 0]);
  });

  it('keep nothing of the chunk that their bytes came in', () => {
    const chunk = Buffer.alloc(65_536, 7);
    const frames = new DeferredFrames();
    frames.push({ payload: chunk.subarray(10, 20) });
    chunk.fill(0);
    const { bytes } = frames;
    const { payload } = frames.shift()!;
    expect([payload, (payload as Buffer).buffer.byteLength]).toEqual([Buffer.alloc(10, 7), 10]);
    expect([bytes >= 10, bytes < 1_000, frames.bytes]).toEqual([true, true, 0]);
  });
});
