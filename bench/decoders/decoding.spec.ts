import { expect, it } from 'vitest';
import { measureDecoding } from './decoding-costs.js';
import { decodingTable } from './decoding-table.js';
import { HOSTILE_BYTES, HOSTILE_FRAMES, LEGAL } from './hostile-frames.js';

it('compares frames of one size', () => {
  for (const { name, text } of HOSTILE_FRAMES) {
    expect.soft(text.length, name).toBeGreaterThan(50_000);
    expect.soft(text.length, name).toBeLessThanOrEqual(65_536);
  }
  for (const { name, bytes } of HOSTILE_BYTES) {
    expect.soft(bytes.length, name).toBeGreaterThan(40_000);
    expect.soft(bytes.length, name).toBeLessThanOrEqual(65_536);
  }
  expect(() => void JSON.parse(LEGAL)).not.toThrow();
});

it('measures each frame with each decoder', () => {
  const { parse, costs, protobuf } = measureDecoding(1);
  expect(costs.map(({ frame }) => frame)).toEqual(HOSTILE_FRAMES.map(({ name }) => name));
  expect(protobuf.map(({ frame }) => frame)).toEqual(HOSTILE_BYTES.map(({ name }) => name));
  const all = costs.flatMap((cost) => [cost.parse, cost.json, cost.centrifuge]);
  expect([parse, ...all, ...protobuf.map(({ cost }) => cost)].every((cost) => cost > 0)).toBe(true);
});

it('shows what a byte costs, and how many times that is of JSON.parse', () => {
  const costs = [{ frame: 'line feeds', parse: 4, json: 1, centrifuge: 5 }];
  const table = decodingTable({ parse: 2, costs, protobuf: [{ frame: 'empty commands', cost: 3 }] });
  expect(table).toMatch(/line feeds +\| +4.00 \| +2.00 × \| +1.00 \| +0.50 × \| +5.00 \| +2.50 × \|/);
  expect(table.split('\n').at(-1)).toMatch(/empty commands +\| +3.00 \| +1.50 × \|/);
});
