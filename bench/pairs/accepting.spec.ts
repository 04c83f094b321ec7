import { describe, expect, it } from 'vitest';
import { acceptingTable } from './accepting.js';

describe('the table of what accepting costs', () => {
  it('compares the first row with each of the others, round by round', () => {
    const costs = new Map([
      ['ours', [100, 300, 200]],
      ['theirs', [200, 200, 200]],
    ]);
    expect(acceptingTable(6_000, costs).split('\n')).toEqual([
      '| 6000 connections, by turns | µs of CPU for each | ours, as a multiple of it | middle half |',
      '| -------------------------- | -----------------: | ------------------------: | ----------: |',
      '| ours                       |                200 |                           |             |',
      '| theirs                     |                200 |                      1.00 | 1.00 – 1.50 |',
    ]);
  });
});
