import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainTopic, isTopic } from './topic.js';

const ALLOWED = ['a', 'Z', '0', '_', '.', ':', '/', '@', '-'];

describe('isTopic', () => {
  it.each([
    ['a'],
    ['order:123'],
    ['Chat/room_1@host.example-2'],
    [':'],
    ['constructor'],
    ['__proto__'],
    ['x'.repeat(255)],
  ])('takes %j', (name) => {
    expect(isTopic(name)).toBe(true);
  });

  it.each([
    [''],
    ['x'.repeat(256)],
    ['a b'],
    ['#all'],
    ['order:{id}'],
    ['order*'],
    ['ünder'],
    ['a\n'],
    ['a\0'],
    [undefined],
    [null],
    [42],
    [['a']],
    [{ toString: () => 'a', length: 1 }],
  ])('refuses %j', (value) => {
    expect(isTopic(value)).toBe(false);
  });

  it('takes a string exactly when each of its 1 to 255 characters is allowed', () => {
    const character = fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...ALLOWED) },
      fc.constantFrom(' ', '#', '{', '}', 'ü', '\n'),
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 300, size: 'max' }), (name) => {
        const allowed = name.split('').every((each) => ALLOWED.includes(each));
        expect(isTopic(name)).toBe(allowed && name.length >= 1 && name.length <= 255);
      }),
    );
  });
});

describe('explainTopic', () => {
  it('says how long a topic may be', () => {
    expect(explainTopic('abcd', 3)).toEqual([{ at: 'topic', message: 'must have at most 3 characters, got 4' }]);
  });

  it('allows no more than 255 characters, whatever limit it is given', () => {
    expect(explainTopic('x'.repeat(256), Infinity)).toHaveLength(1);
  });
});
