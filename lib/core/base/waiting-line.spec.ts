import { describe, expect, it } from 'vitest';
import { WaitingLine } from './waiting-line.js';

function lineOf(count: number): WaitingLine<number> {
  const line = new WaitingLine<number>();
  for (let item = 0; item < count; item++) line.add(item);
  return line;
}

function drain(line: WaitingLine<number>): (number | undefined)[] {
  const served: (number | undefined)[] = [];
  while (!line.isEmpty) served.push(line.next());
  return served;
}

describe('a waiting line', () => {
  it.each([
    [0, []],
    [1, [0]],
    [2, [1, 0]],
    [6, [5, 0, 4, 1, 3, 2]],
  ])('serves the newest and the oldest in turn: %i', (count, order) => {
    expect(drain(lineOf(count))).toEqual(order);
  });

  it('has nothing when all were served', () => {
    const line = lineOf(3);
    drain(line);
    expect([line.isEmpty, line.next()]).toEqual([true, undefined]);
  });

  it('serves each item once, also when others come in between', () => {
    const line = lineOf(500);
    const served: (number | undefined)[] = [];
    for (let item = 500; item < 1_000; item++) {
      served.push(line.next());
      line.add(item);
    }
    served.push(...drain(line));
    expect(served.toSorted((a, b) => a! - b!)).toEqual(Array.from({ length: 1_000 }, (_, item) => item));
  });

  it('serves an item after at most twice as many steps as there were items before it', () => {
    const line = lineOf(100);
    let steps = 0;
    for (let item = 100, served: number | undefined; served !== 99; item++) {
      served = line.next();
      line.add(item);
      steps += 1;
    }
    expect(steps).toBeLessThanOrEqual(200);
  });
});
