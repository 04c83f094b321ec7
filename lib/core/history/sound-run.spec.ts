import { describe, expect, it } from 'vitest';
import { soundRun, type StoredPublication } from './sound-run.js';

const text = (payload: string) => `{"type":"t","payload":"${payload}","timestamp":"2026-01-31T12:00:00.000Z"}`;
const entry = (offset: unknown, broken?: unknown): StoredPublication => ({
  offset,
  text: broken ?? text(String(offset)),
});
const offsets = (stored: readonly StoredPublication[], top = 5, reverse = false, maxLength = 1_000) =>
  soundRun(stored, top, reverse, maxLength).map(({ offset }) => offset);

describe('the publications that nothing is wrong with', () => {
  it('are all of them when nothing was changed', () => {
    expect(offsets([entry(1), entry(2), entry(3)])).toEqual([1, 2, 3]);
    expect(offsets([entry(3), entry(2), entry(1)], 5, true)).toEqual([3, 2, 1]);
  });

  it.each<[what: string, entry: StoredPublication]>([
    ['no JSON', entry(3, '{"type":"t","pay"}')],
    ['no text', { offset: 3, text: undefined }],
    ['no offset', entry(NaN, text('3'))],
    ['an offset that was not reached', entry(6)],
    ['an offset of 0', entry(0)],
    ['a text that is too long', entry(3, text('x'.repeat(2_000)))],
  ])('are those after an entry with %s, and the latest ones before it', (_what, wrong) => {
    expect(offsets([entry(1), entry(2), wrong, entry(4), entry(5)])).toEqual([4, 5]);
    expect(offsets([entry(5), entry(4), wrong, entry(2), entry(1)], 5, true)).toEqual([5, 4]);
  });

  it('are those behind a gap, and the latest ones before it', () => {
    expect(offsets([entry(1), entry(2), entry(4), entry(5)])).toEqual([4, 5]);
    expect(offsets([entry(5), entry(4), entry(2), entry(1)], 5, true)).toEqual([5, 4]);
  });

  it('are none when the last one is wrong', () => {
    expect(offsets([entry(4), entry(5, 'x')])).toEqual([]);
    expect(offsets([entry(5, 'x'), entry(4)], 5, true)).toEqual([]);
  });
});
