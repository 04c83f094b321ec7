import { expect, it } from 'vitest';
import { measureDecoding } from './decoding-costs.js';
import { decodingTable } from './decoding-table.js';
import { HOSTILE_FRAMES, LEGAL } from './hostile-frames.js';

it('compares frames of one size', () => {
  for (const { name, text } of HOSTILE_FRAMES) {
    expect.soft(text.length, name).toBeGreaterThan(50_000);
    expect.soft(text.length, name).toBeLessThanOrEqual(65_536);
  }
  expect(() => void JSON.parse(LEGAL)).not.toThrow();
});

it('measures each frame with each decoder', () => {
  const { parse, costs } = measureDecoding(1);
  expect(costs.map(({ frame }) => frame)).toEqual(HOSTILE_FRAMES.map(({ name }) => name));
  expect([parse, ...costs.flatMap((cost) => [cost.parse, cost.json, cost.centrifuge])].every((cost) => cost > 0)).toBe(
    true,
  );
});

it('shows what a byte costs, and how many times that is of JSON.parse', () => {
  const table = decodingTable({ parse: 2, costs: [{ frame: 'line feeds', parse: 4, json: 1, centrifuge: 5 }] });
  expect(table.split('\n').at(-1)).toMatch(
    /line feeds +\| +4.00 \| +2.00 × \| +1.00 \| +0.50 × \| +5.00 \| +2.50 × \|/,
  );
});
