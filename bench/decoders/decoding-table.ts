import { markdownTable, shortNumber } from '../report/markdown-table.js';
import type { DecodingCosts } from './decoding-costs.js';

/** The costs as two tables: nanoseconds a byte, and how many times `JSON.parse` of legal text that is. */
export function decodingTable({ parse, costs, protobuf }: DecodingCosts): string {
  const cells = (cost: number) => [shortNumber(cost), `${shortNumber(cost / parse)} ×`];
  const ofBytes = markdownTable(
    ['64 KiB of', 'Centrifuge in Protobuf, ns a byte', ''],
    protobuf.map(({ frame, cost }) => [frame, ...cells(cost)]),
  );
  const ofTexts = markdownTable(
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
  return `${ofTexts}\n\n${ofBytes}`;
}
