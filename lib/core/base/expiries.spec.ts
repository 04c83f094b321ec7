import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Expiries } from './expiries.js';

function takeAll<T>(expiries: Expiries<T>, now: number): T[] {
  const taken: T[] = [];
  for (let item = expiries.take(now); item !== undefined; item = expiries.take(now)) taken.push(item);
  return taken;
}

const ascending = (a: number, b: number) => a - b;

describe('Expiries', () => {
  it('hold nothing at first', () => {
    expect(new Expiries<string>().take(Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });

  it('bring nothing up before its time', () => {
    const expiries = new Expiries<string>();
    expiries.add('a', 10_001);
    expect(expiries.take(10_000)).toBeUndefined();
  });

  it('bring each item up once', () => {
    const expiries = new Expiries<string>();
    expiries.add('a', 1_000);
    expect([takeAll(expiries, 60_000), takeAll(expiries, 60_000)]).toEqual([['a'], []]);
  });

  it('bring up what is added behind a look, and is due before what is there', () => {
    const expiries = new Expiries<string>();
    expiries.add('late', 100_000);
    expect(takeAll(expiries, 50_000)).toEqual([]);
    expiries.add('early', 60_000);
    expect(takeAll(expiries, 60_000)).toEqual(['early']);
  });

  it('bring everything up that is due, at most 10 s late, and nothing else', () => {
    const times = fc.array(fc.nat({ max: 200_000 }), { maxLength: 50, size: 'max' });
    fc.assert(
      fc.property(times, fc.array(fc.nat({ max: 250_000 }), { maxLength: 10, size: 'max' }), (all, looks) => {
        const expiries = new Expiries<number>();
        for (const at of all) expiries.add(at, at);
        let left = [...all];
        for (const now of looks.sort(ascending)) {
          const taken = takeAll(expiries, now);
          left = left.filter((at) => !taken.includes(at));
          expect(taken.every((at) => at <= now)).toBe(true);
          expect(left.every((at) => at > now - 10_000)).toBe(true);
        }
        expect(takeAll(expiries, 300_000).sort(ascending)).toEqual(left.sort(ascending));
      }),
    );
  });
});
