import { expect, it } from 'vitest';
import { RecentKinds } from './recent-kinds.js';

it('keeps the latest entries of each kind, newest first, and counts all', () => {
  const recent = new RecentKinds<number>(4, 2);
  for (const entry of [1, 2, 3]) recent.add('a', entry);
  recent.add('b', 4);
  expect(recent.read()).toEqual([
    { kind: 'a', count: 3, last: [3, 2] },
    { kind: 'b', count: 1, last: [4] },
  ]);
});

it('keeps one kind while another one comes a thousand times', () => {
  const recent = new RecentKinds<number>(4, 2);
  recent.add('rare', 0);
  for (let i = 0; i < 1_000; i++) recent.add('flood', i);
  expect(recent.read()[0]).toEqual({ kind: 'rare', count: 1, last: [0] });
});

it('counts kinds beyond the limit as one', () => {
  const recent = new RecentKinds<number>(2, 3);
  for (let i = 0; i < 1_000; i++) recent.add(`kind ${i}`, i);
  expect(recent.read()).toEqual([
    { kind: 'kind 0', count: 1, last: [0] },
    { kind: 'kind 1', count: 1, last: [1] },
    { kind: '_other', count: 998, last: [999, 998, 997] },
  ]);
});
