import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { heapBytesOf, textHeapBytes } from './heap-estimate.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const list = (count: number, entry: (n: number) => string) =>
  `[${Array.from({ length: count }, (_, n) => entry(n)).join()}]`;

/** Texts of JSON that take much heap for their length. */
const HOSTILE = {
  'empty objects': list(9_000, () => '{}'),
  'empty lists': list(9_000, () => '[]'),
  'lists of one': list(4_500, () => '[0]'),
  'objects with a key of their own each': list(4_500, (n) => `{"key${n}":0}`),
  'objects with numbers as keys': list(4_500, (n) => `{"${1_000 + n}":0}`),
  'one object with many keys': `{${Array.from({ length: 4_500 }, (_, n) => `"many${n}":0`).join()}}`,
  'broken numbers among objects': `[{},${Array.from({ length: 9_000 }, (_, n) => `${n}.5`).join()}]`,
  'short strings': list(9_000, (n) => `"${n}"`),
  'a long string with one wide character': JSON.stringify(`${'x'.repeat(60_000)}ш`),
};

/** How many bytes of heap the parsed text takes. */
function heapOf(text: string): number {
  const copies = 20;
  const kept: unknown[] = [];
  const held = () => {
    for (let round = 0; round < 3; round++) collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = held();
  for (let copy = 0; copy < copies; copy++) kept.push(JSON.parse(text));
  const taken = held() - before;
  return kept.length === copies ? taken / copies : NaN;
}

describe('the estimate of heap', () => {
  it.each(Object.entries(HOSTILE))('does not fall short of what is taken by %s', (_, text) => {
    expect(heapBytesOf(JSON.parse(text)) * 1.1).toBeGreaterThan(heapOf(text));
  });

  it('is below a kilobyte or two for an ordinary command', () => {
    const payload = { text: 'a few words, as people write them', mentions: ['ann', 'bob'], reply: { to: 12 } };
    expect(heapBytesOf({ action: 'message', topic: 'room:1', type: 'say', id: 7, payload })).toBeLessThan(2_000);
  });

  it('counts what stands at any depth', () => {
    const depth = 50_000;
    expect(heapBytesOf(JSON.parse('['.repeat(depth) + ']'.repeat(depth)))).toBeGreaterThan(50 * depth);
  });

  it.each([undefined, null, true, false])('is nothing for %s', (value) => {
    expect(heapBytesOf(value)).toBe(0);
  });

  it('is the same for a string as for its length', () => {
    expect(heapBytesOf('twelve bytes')).toBe(textHeapBytes(12));
  });
});
