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
    for (const offset of [1, 2, 3]) add(recent, offset, 'x'.repeat(30_000));
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

  it('take what was read if it is more', () => {
    const recent = new RecentPublications(10);
    const text = 'text';
    add(recent, 4);
    recent.adopt({ epoch: 'e1', after: 2, publications: [3, 4].map((offset) => ({ offset, text })) });
    recent.adopt({ epoch: 'e1', after: 3, publications: [{ offset: 4, text }] });
    expect(offsets(recent)).toEqual([3, 4]);
  });
});
