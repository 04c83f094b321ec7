import { markdownTable, shortNumber } from '../report/markdown-table.js';
import type { DecodingCosts } from './decoding-costs.js';

/** The costs as a table: nanoseconds a byte, and how many times `JSON.parse` of legal text that is. */
export function decodingTable({ parse, costs }: DecodingCosts): string {
  const cells = (cost: number) => [shortNumber(cost), `${shortNumber(cost / parse)} ×`];
  return markdownTable(
    ['64 KiB of', 'JSON.parse of it, ns a byte', '', 'plain', '', 'Centrifuge', ''],
    [
      ['legal JSON, JSON.parse alone', ...cells(parse), ...cells(parse), ...cells(parse)],
      ...costs.map(({ frame, parse: alone, json, centrifuge }) => [
        frame,
        ...cells(alone),
        ...cells(json),
        ...cells(centrifuge),
      ]),
    ],
  );
}
