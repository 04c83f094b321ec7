import { describe, expect, it, vi } from 'vitest';
import type { Codec } from '../ports/codec.js';
import { FrameSet } from './frame-set.js';

/** A codec that says its name, and counts what it encodes. */
function codecNamed(name: string) {
  const encodeMessage = vi.fn((text: string, topic?: string) => `${name} ${topic ?? '-'} ${text}`);
  return { encodeMessage } as unknown as Codec & { encodeMessage: typeof encodeMessage };
}

describe('a frame set', () => {
  it('encodes a message once for all recipients of a codec', () => {
    const [plain, frames] = [codecNamed('plain'), new FrameSet('hi', undefined)];
    const all = [frames.for(plain), frames.for(plain), frames.for(plain)];
    expect([new Set(all).size, plain.encodeMessage.mock.calls.length]).toEqual([1, 1]);
  });

  it('encodes it once for each of several codecs, in whatever order they come', () => {
    const [a, b, c] = [codecNamed('a'), codecNamed('b'), codecNamed('c')];
    const frames = new FrameSet('hi', undefined);
    const texts = [a, b, c, b, a, c].map((codec) => frames.for(codec).text);
    expect(texts).toEqual(['a - hi', 'b - hi', 'c - hi', 'b - hi', 'a - hi', 'c - hi']);
    expect([a, b, c].map(({ encodeMessage }) => encodeMessage.mock.calls.length)).toEqual([1, 1, 1]);
  });

  it('names the topic', () => {
    expect(new FrameSet('hi', 'feed').for(codecNamed('plain')).text).toBe('plain feed hi');
  });

  it('encodes nothing while nobody asks', () => {
    const plain = codecNamed('plain');
    void new FrameSet('hi', undefined);
    expect(plain.encodeMessage).not.toHaveBeenCalled();
  });
});
