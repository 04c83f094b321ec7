import { expect, it } from 'vitest';
import { CounterTable } from './counter-table.js';

it('counts each combination of labels by itself', () => {
  const table = new CounterTable(['action', 'pattern', 'code']);
  table.of('message', 'chat:{room}', 'FORBIDDEN').value += 2;
  table.of('message', 'chat:{room}', 'INTERNAL').value += 1;
  table.of('message', 'chat:{room}', 'FORBIDDEN').value += 1;
  expect(table.samples).toEqual([
    { labels: { action: 'message', pattern: 'chat:{room}', code: 'FORBIDDEN' }, value: 3 },
    { labels: { action: 'message', pattern: 'chat:{room}', code: 'INTERNAL' }, value: 1 },
  ]);
});

it('leaves out labels with an empty value', () => {
  const table = new CounterTable(['action', 'pattern', 'code']);
  table.of('auth', '', 'UNAUTHENTICATED').value += 1;
  expect(table.samples).toEqual([{ labels: { action: 'auth', code: 'UNAUTHENTICATED' }, value: 1 }]);
});

it('does not confuse a value of one label with that of another', () => {
  const table = new CounterTable(['a', 'b']);
  expect(table.of('x')).not.toBe(table.of('', 'x'));
});

it('gives the same labels object for the same combination', () => {
  const table = new CounterTable(['status']);
  table.of('101').value += 1;
  expect(table.samples[0]?.labels).toBe(table.of('101').labels);
});
