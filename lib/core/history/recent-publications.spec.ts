import { describe, expect, it } from 'vitest';
import { RecentPublications } from './recent-publications.js';

const add = (recent: RecentPublications, offset: number, text = 'text', epoch = 'e1') =>
  recent.add({ offset, text }, { epoch, offset });
const offsets = (recent: RecentPublications) => recent.run?.publications.map(({ offset }) => offset);

describe('recent publications', () => {
  it('are those that were delivered last', () => {
    const recent = new RecentPublications(2);
    for (const offset of [5, 6, 7]) add(recent, offset);
    expect([recent.run?.after, offsets(recent)]).toEqual([5, [6, 7]]);
  });

  it('are bounded by their size', () => {
    const recent = new RecentPublications(100);
    for (const offset of [1, 2, 3]) add(recent, offset, 'x'.repeat(100_000));
    expect(offsets(recent)).toEqual([2, 3]);
    add(recent, 4, 'x'.repeat(1_000_000));
    expect(recent.run).toBeUndefined();
  });

  it('are of one epoch', () => {
    const recent = new RecentPublications(10);
    add(recent, 1);
    add(recent, 1, 'text', 'e2');
    expect(recent.run).toEqual({ epoch: 'e2', after: 0, publications: [{ offset: 1, text: 'text' }] });
  });

  it('take what was read only if there are none', () => {
    const recent = new RecentPublications(10);
    const read = (offset: number) => ({ epoch: 'e1', after: offset - 1, publications: [{ offset, text: 'text' }] });
    recent.adopt(read(3));
    recent.adopt(read(9));
    expect(offsets(recent)).toEqual([3]);
  });
});
