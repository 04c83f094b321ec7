import { describe, expect, it } from 'vitest';
import { fittingPage } from './fitting-page.js';

const publications = (count: number, text: string) =>
  Array.from({ length: count }, (_, n) => ({ offset: n + 1, text }));

describe('a page of a history', () => {
  it('holds everything that is within its limits', () => {
    expect(fittingPage(publications(3, 'x'), 3, 1_000)).toEqual({ publications: publications(3, 'x'), more: false });
  });

  it('ends by number, and says that there is more', () => {
    const page = fittingPage(publications(4, 'x'), 3, 1_000);
    expect([page.publications.length, page.more]).toEqual([3, true]);
  });

  it('ends by bytes, and says that there is more', () => {
    const page = fittingPage(publications(4, 'x'.repeat(300)), 3, 1_000);
    expect([page.publications.length, page.more]).toEqual([3, true]);
    expect(fittingPage(publications(4, 'ш'.repeat(300)), 3, 1_000).publications.length).toBe(1);
  });

  it('holds one publication that is larger than a page', () => {
    const page = fittingPage(publications(2, 'x'.repeat(2_000)), 300, 1_000);
    expect([page.publications.length, page.more]).toEqual([1, true]);
  });

  it('is empty when none is asked for', () => {
    expect(fittingPage([], 0, 1_000)).toEqual({ publications: [], more: false });
  });
});
