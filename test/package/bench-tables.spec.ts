import { describe, expect, it } from 'vitest';
import { tablesOf } from '../../bench/report/tables.js';
import type { Results } from '../../bench/results.js';
import { tableOf } from './markdown.js';
import { filesIn, read } from './repository.js';

const page = read('bench/README.md');
const runs = filesIn('bench/results').filter((path) => /^bench\/results\/(?!some-|quick-)[^/]+\.json$/.test(path));

describe('the tables of the benchmarks', () => {
  it.each(runs)('are those of the run behind them: %s', (path) => {
    const name = /([^/]+)\.json$/.exec(path)![1]!;
    const [, shown] = page.split(new RegExp(`<!-- /?${name} -->`));
    expect(shown?.trim()).toBe(tablesOf(JSON.parse(read(path)) as Results));
  });

  it('are the same in the README', () => {
    const title = 'server CPU, or memory';
    expect(tableOf(read('README.md'), title)).toEqual(tableOf(page, title));
  });
});
