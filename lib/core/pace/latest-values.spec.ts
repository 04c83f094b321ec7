import { describe, expect, it } from 'vitest';
import { LatestValues } from './latest-values.js';

function filled(...values: string[]): LatestValues<string> {
  const table = new LatestValues<string>();
  for (const value of values) table.set(value[0]!, value, value.length);
  return table;
}

function listed(table: LatestValues<string>, change: number): string {
  const values: string[] = [];
  for (let next = table.after(change); next; next = next.newer) values.push(next.value);
  return values.join(' ');
}

describe('the latest values', () => {
  it('are in the order of the last change', () => {
    expect(listed(filled('a1', 'b1', 'c1', 'a2'), 0)).toBe('b1 c1 a2');
  });

  it('after a change are those that were set later', () => {
    expect(listed(filled('a1', 'b1', 'c1', 'a2'), 2)).toBe('c1 a2');
  });

  it('after the latest change are none', () => {
    expect(listed(filled('a1', 'b1'), 2)).toBe('');
  });

  it('are as large as the values that are left', () => {
    expect(filled('a1', 'a-long', 'b1', 'a2').bytes).toBe(4);
  });

  it('that were set before a change can be forgotten', () => {
    const table = filled('a1', 'b1', 'a2');
    table.forget(2);
    expect([table.size, table.bytes, listed(table, 0)]).toEqual([1, 2, 'a2']);
  });

  it.each([
    [9, 0],
    [8, 1],
    [6, 1],
    [5, 2],
    [1, 3],
  ])('leave no more than %d bytes to those that have seen change %d', (maxBytes, change) => {
    const table = filled('a--', 'b--', 'c--');
    expect([table.leaving(maxBytes), table.bytes]).toEqual([change, 9]);
  });

  it('go on being numbered after all were forgotten', () => {
    const table = filled('a1', 'b1');
    table.forget(table.last);
    table.set('b', 'b2', 2);
    expect([table.last, listed(table, 2)]).toEqual([3, 'b2']);
  });
});
