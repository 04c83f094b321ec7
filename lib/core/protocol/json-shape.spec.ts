import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainJsonShape } from './json-shape.js';

const NO_LIMIT = { maxDepth: Infinity, maxKeys: Infinity, maxValues: Infinity };
const parse = (text: string): unknown => JSON.parse(text);

/** The same by recursion: what the walk must agree with. */
function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

function widthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const entries = Object.values(value);
  return Math.max(entries.length, ...entries.map(widthOf));
}

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const entries = Object.values(value);
  return entries.reduce<number>((sum, entry) => sum + countOf(entry), entries.length);
}

describe('explainJsonShape', () => {
  it('allows exactly the depth it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 6 }), (value, maxDepth) => {
        expect(explainJsonShape(value, { ...NO_LIMIT, maxDepth }) === undefined).toBe(depthOf(value) <= maxDepth);
      }),
    );
  });

  it('allows exactly the number of entries it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 6 }), (value, maxKeys) => {
        expect(explainJsonShape(value, { ...NO_LIMIT, maxKeys }) === undefined).toBe(widthOf(value) <= maxKeys);
      }),
    );
  });

  it('allows exactly the number of values it is given, over all levels', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 12 }), (value, maxValues) => {
        expect(explainJsonShape(value, { ...NO_LIMIT, maxValues }) === undefined).toBe(countOf(value) <= maxValues);
      }),
    );
  });

  it('gets to the end of 32,000 levels', () => {
    const deep = parse('['.repeat(32_000) + ']'.repeat(32_000));
    expect([explainJsonShape(deep, NO_LIMIT), explainJsonShape(deep, { ...NO_LIMIT, maxDepth: 32 })]).toEqual([
      undefined,
      { at: 'message', message: 'must not be nested deeper than 32 levels' },
    ]);
  });

  it('looks into what stands under `__proto__`', () => {
    expect(explainJsonShape(parse('{"__proto__":{"a":{}}}'), { ...NO_LIMIT, maxDepth: 2 })).toBeDefined();
  });

  it('says how many entries are allowed', () => {
    expect(explainJsonShape([1, 2, 3], { ...NO_LIMIT, maxKeys: 2 })).toEqual({
      at: 'message',
      message: 'must not hold more than 2 entries in one object or list',
    });
  });
});
