import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from './frame-batch.js';

const A = Buffer.from('a');
const B = Buffer.from('bb');
const C = Buffer.from('ccc');

describe('a batch', () => {
  it('holds its frames in their order, joined', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1 }).map(Buffer.from)), (frames) => {
        const batch = frames.reduce((before, frame) => before.with(frame), FrameBatch.empty());
        expect([batch.bytes, batch.length]).toEqual([Buffer.concat(frames), Buffer.concat(frames).length]);
      }),
    );
  });

  it('of one frame is that frame, without a copy', () => {
    expect(FrameBatch.empty().with(A).bytes).toBe(A);
  });

  it('is one and the same for all who got the same frames', () => {
    const empty = FrameBatch.empty();
    const [one, other] = [empty, empty].map((each) => each.with(A)).map((each) => each.with(B));
    expect(one).toBe(other);
  });

  it('is joined once for all who hold it', () => {
    const batch = FrameBatch.empty().with(A).with(B);
    expect(batch.bytes).toBe(batch.bytes);
  });

  it('is nobody else’s when the next frame differs', () => {
    const shared = FrameBatch.empty().with(A);
    const batchs = [shared.with(B), shared.with(C), shared.with(B)];
    expect(batchs.map(({ bytes }) => bytes.toString())).toEqual(['abb', 'accc', 'abb']);
  });
});
