import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { patchMetadata, readMetadataPatch } from './metadata-patch.js';

describe('A patch of metadata', () => {
  it('adds, replaces and removes keys, and leaves the others', () => {
    const before = { plan: 'free', seat: 1, name: 'Ann' };
    expect(patchMetadata(before, { plan: 'gold', seat: null, team: 7 })).toEqual({
      plan: 'gold',
      name: 'Ann',
      team: 7,
    });
  });

  it('removes no key that it does not name', () => {
    const before = { a: undefined, b: 0, c: false, d: null };
    expect(patchMetadata(before, {})).toEqual(before);
  });

  it('is read as other nodes get it', () => {
    expect(readMetadataPatch({ at: new Date(0), gone: null })).toEqual({
      patch: { at: '1970-01-01T00:00:00.000Z', gone: null },
    });
  });

  it.each<[string, unknown, at: string]>([
    ['no object', 'plan', 'patch'],
    ['a list', ['plan'], 'patch'],
    ['null', null, 'patch'],
    ['a name that reaches a prototype', JSON.parse('{"__proto__":{"admin":true}}'), 'patch.__proto__'],
    ['a Map', new Map([['plan', 'gold']]), 'patch'],
    ['a date, which JSON makes a text', new Date(0), 'patch'],
    ['an instance of a class', new URL('https://example.com'), 'patch'],
    ['a promise', Promise.resolve({ plan: 'gold' }), 'patch'],
    ['with a BigInt', { count: 1n }, 'patch.count'],
    ['with a Set, which JSON empties', { seats: new Set([1]) }, 'patch.seats'],
    ['with a function, which JSON drops', { plan: () => 'gold' }, 'patch.plan'],
    ['with a number that JSON cannot carry', { seat: Number.NaN }, 'patch.seat'],
    ['in a circle', circle(), 'patch.self'],
    ['too large', { text: 'x'.repeat(65_536) }, 'patch'],
  ])('is refused when it is %s', (_what, value, at) => {
    expect(readMetadataPatch(value)).toMatchObject({ problems: [{ at }] });
  });

  it('may be as large as the limit says', () => {
    const patch = { text: 'x'.repeat(65_000) };
    expect(readMetadataPatch(patch)).toEqual({ patch });
  });

  it('may have no prototype, or that of another realm', () => {
    const plain = Object.assign(Object.create(null) as object, { plan: 'gold' });
    expect(readMetadataPatch(plain)).toEqual({ patch: { plan: 'gold' } });
    expect(readMetadataPatch(runInNewContext('({ plan: "gold" })'))).toEqual({ patch: { plan: 'gold' } });
  });

  it('leaves out what is undefined', () => {
    expect(readMetadataPatch({ plan: 'gold', agent: undefined })).toEqual({ patch: { plan: 'gold' } });
  });

  it('is a copy, so that it keeps nothing of what it was made of', () => {
    const value = { of: { plan: 'gold' } };
    const read = readMetadataPatch(value);
    value.of.plan = 'free';
    expect(read).toEqual({ patch: { of: { plan: 'gold' } } });
  });

  it('is called what the caller calls it', () => {
    expect(readMetadataPatch({ constructor: 1 }, 'metadata')).toMatchObject({
      problems: [{ at: 'metadata.constructor' }],
    });
  });
});

function circle(): object {
  const self: Record<string, unknown> = {};
  return Object.assign(self, { self });
}
