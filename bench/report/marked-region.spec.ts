import { describe, expect, it } from 'vitest';
import { replaceRegion } from './marked-region.js';

const DOCUMENT = 'before\n<!-- costs -->\nold\n<!-- /costs -->\nbetween\n<!-- growth --><!-- /growth -->\n';

describe('a marked region', () => {
  it('gets the new text, and nothing else changes', () => {
    expect(replaceRegion(DOCUMENT, 'costs', 'new')).toBe(DOCUMENT.replace('\nold\n', '\n\nnew\n\n'));
  });

  it('may be replaced again and again', () => {
    const once = replaceRegion(DOCUMENT, 'growth', 'new');
    expect(replaceRegion(once, 'growth', 'new')).toBe(once);
  });

  it('must be there, and once', () => {
    expect(() => replaceRegion(DOCUMENT, 'other', 'new')).toThrow('"<!-- other -->"');
    expect(() => replaceRegion(DOCUMENT + DOCUMENT, 'costs', 'new')).toThrow('once');
  });
});
