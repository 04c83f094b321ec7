import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MultiMap } from './multi-map.js';

const NAMES = ['a', 'b', 'constructor', '__proto__', 'toString'];

describe('MultiMap', () => {
  it('agrees with a plain Map of Sets after any changes', () => {
    const step = fc.tuple(fc.boolean(), fc.constantFrom(...NAMES), fc.constantFrom(...NAMES));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const map = new MultiMap();
        const model = new Map<string, Set<string>>();
        for (const [adds, key, member] of steps) {
          const members = model.get(key) ?? new Set();
          expect(adds ? map.add(key, member) : map.remove(key, member)).toBe(members.has(member) !== adds);
          if (adds) members.add(member);
          else members.delete(member);
          if (members.size > 0) model.set(key, members);
          else model.delete(key);
        }
        expect(map.size).toBe(model.size);
        for (const name of NAMES) {
          expect(map.has(name)).toBe(model.has(name));
          expect(map.get(name)).toEqual(model.get(name) ?? new Set());
        }
      }),
    );
  });

  it('forgets a key with its last member', () => {
    const map = new MultiMap();
    map.add('k', 'm');
    map.remove('k', 'm');
    expect([map.size, map.has('k')]).toEqual([0, false]);
  });

  it('may lose members while they are walked', () => {
    const map = new MultiMap();
    for (const member of NAMES) map.add('k', member);
    const walked = Array.from(map.get('k'), (member) => map.remove('k', member) && member);
    expect([walked, map.size]).toEqual([NAMES, 0]);
  });
});
