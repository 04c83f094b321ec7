import { describe, expect, it } from 'vitest';
import { bars } from '../../bench/report/bars.js';
import { takingPart } from '../../bench/report/figures.js';
import { COSTS } from '../../bench/report/measures.js';
import { tablesOf } from '../../bench/report/tables.js';
import type { Results } from '../../bench/results.js';
import { linksIn } from './markdown.js';
import { filesIn, read } from './repository.js';

const page = read('bench/README.md');
const runs = filesIn('bench/results').filter((path) => /^bench\/results\/(?!some-|quick-)[^/]+\.json$/.test(path));

describe('the tables of the benchmarks', () => {
  it.each(runs)('are those of the run behind them: %s', (path) => {
    const name = /([^/]+)\.json$/.exec(path)![1]!;
    const [, shown] = page.split(new RegExp(`<!-- /?${name} -->`));
    expect(shown?.trim()).toBe(tablesOf(JSON.parse(read(path)) as Results));
  });

  it('go with the chart that the README shows, which is drawn from the same run', () => {
    const { runs: measured } = JSON.parse(read('bench/results/comparison.json')) as Results;
    const chart = bars('What the server spends; less is better', COSTS, takingPart(measured, COSTS));
    expect(linksIn(read('README.md'))).toContain('bench/results/comparison.svg');
    expect(read('bench/results/comparison.svg')).toBe(chart);
  });
});
