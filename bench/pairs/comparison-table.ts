import { markdownTable } from '../report/markdown-table.js';
import type { Comparison, Ratios } from './pair-ratios.js';

/** The table of some comparisons. @param title what the ratios are */
export function comparisonTable(title: string, comparisons: readonly Comparison[]): string {
  return markdownTable(
    [title, 'pairs', 'median', 'middle half', 'control', 'verdict'],
    comparisons.map(({ title: measure, pairs, tested, control, verdict }) => [
      measure,
      String(pairs),
      tested.median.toFixed(3),
      spread(tested),
      control.median.toFixed(3),
      verdict,
    ]),
  );
}

function spread({ quartiles }: Ratios): string {
  return quartiles.map((each) => each.toFixed(2)).join(' – ');
}
