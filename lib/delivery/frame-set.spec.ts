import { describe, expect, it, vi } from 'vitest';
import type { Codec } from '../ports/codec.js';
import { FrameSet } from './frame-set.js';

/** A codec that says its name, and counts what it encodes. */
function codecNamed(name: string) {
  const encodeMessage = vi.fn((text: string) => `${name} ${text}`);
  return { encodeMessage } as unknown as Codec & { encodeMessage: typeof encodeMessage };
}

const framesOf = (text: string) => new FrameSet((codec) => codec.encodeMessage(text, undefined));

describe('a frame set', () => {
  it('encodes a message once for all recipients of a codec', () => {
    const [plain, frames] = [codecNamed('plain'), framesOf('hi')];
    const all = [frames.for(plain), frames.for(plain), frames.for(plain)];
    expect([new Set(all).size, plain.encodeMessage.mock.calls.length]).toEqual([1, 1]);
  });

  it('encodes it once for each of several codecs, in whatever order they come', () => {
    const [a, b, c] = [codecNamed('a'), codecNamed('b'), codecNamed('c')];
    const frames = framesOf('hi');
    const texts = [a, b, c, b, a, c].map((codec) => frames.for(codec).payload);
    expect(texts).toEqual(['a hi', 'b hi', 'c hi', 'b hi', 'a hi', 'c hi']);
    expect([a, b, c].map(({ encodeMessage }) => encodeMessage.mock.calls.length)).toEqual([1, 1, 1]);
  });

  it('encodes nothing while nobody asks', () => {
    const plain = codecNamed('plain');
    void framesOf('hi');
    expect(plain.encodeMessage).not.toHaveBeenCalled();
  });
});
