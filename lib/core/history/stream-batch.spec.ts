import { describe, expect, it } from 'vitest';
import { StreamBatch } from './stream-batch.js';
import { readStreamItem } from './stream-item.js';

/** Adds items, as far as JSON can carry them. */
function add(batch: StreamBatch, ...items: readonly unknown[]): string[] {
  return items.flatMap((item) => {
    const read = readStreamItem(item);
    return read.kind === 'lost' ? [] : [...batch.add(read)];
  });
}

describe('a batch', () => {
  it('joins strings that follow each other, and keeps other items between them', () => {
    const batch = new StreamBatch(100);
    expect(add(batch, 'a', 'b', { n: 1 }, [2], 'c', '', 'd', null)).toEqual([]);
    expect(batch.flush()).toEqual(['["ab",{"n":1},[2],"cd",null]']);
    expect([batch.isEmpty, batch.flush()]).toEqual([true, []]);
  });

  it('is full when its bytes are reached, counted in UTF-8', () => {
    const batch = new StreamBatch(6);
    expect(add(batch, '€', '€')).toEqual(['["€€"]']);
  });

  it('leaves a string that does not fit to the next one', () => {
    const batch = new StreamBatch(6);
    expect(add(batch, 'abcd', 'efg')).toEqual(['["abcd"]']);
    expect(batch.end()).toEqual(['["efg"]']);
  });

  it('cuts a string that is larger than a batch, but not a character', () => {
    const batch = new StreamBatch(5);
    expect(add(batch, 'ab😀😀c')).toEqual(['["ab"]', '["😀"]', '["😀c"]']);
  });

  it('publishes any other item that is larger than a batch alone', () => {
    const batch = new StreamBatch(4);
    expect(add(batch, 'a', 'a long one'.split(' '), 'b')).toEqual(['["a"]', '[["a","long","one"]]']);
    expect(batch.end()).toEqual(['["b"]']);
  });

  it('keeps the first half of a surrogate pair until the second one comes', () => {
    const batch = new StreamBatch(100);
    add(batch, 'a\ud83d');
    expect(batch.flush()).toEqual(['["a"]']);
    add(batch, '\ude00b');
    expect(batch.end()).toEqual(['["😀b"]']);
  });

  it('gives out a half that stays alone, in its place', () => {
    const batch = new StreamBatch(100);
    add(batch, 'a\ud83d', 1, '\ud83d');
    expect(batch.end()).toEqual([String.raw`["a\ud83d",1,"\ud83d"]`]);
  });

  it('holds an item as it was when it was added', () => {
    const batch = new StreamBatch(100);
    const item = { n: 1 };
    add(batch, item);
    item.n = 2;
    expect(batch.flush()).toEqual(['[{"n":1}]']);
  });
});

describe('an item', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);

  it.each<[what: string, item: unknown, problem: string]>([
    ['undefined', undefined, 'it is undefined'],
    ['a Map inside', { a: [new Map()] }, 'item.a[0] is a Map; send Object.fromEntries(map)'],
    ['NaN', Number.NaN, 'it is NaN'],
    ['a BigInt', 1n, 'it is a BigInt; send String(value)'],
    ['a cycle', cycle, 'JSON cannot represent it: Converting circular structure to JSON'],
    ['bytes', Buffer.from('a'), 'it is a chunk of bytes; decode the source first'],
    ['a typed array', new Uint8Array(1), 'it is a chunk of bytes; decode the source first'],
  ])('of %s is named as one that would be lost', (_what, item, problem) => {
    const read = readStreamItem(item);
    expect(read).toMatchObject({ kind: 'lost', what: expect.stringContaining(problem) });
  });

  it('is serialised once, with its toJSON', () => {
    let calls = 0;
    const item = { toJSON: () => ({ calls: (calls += 1) }) };
    expect(readStreamItem(item)).toEqual({ kind: 'value', json: '{"calls":1}' });
  });
});
