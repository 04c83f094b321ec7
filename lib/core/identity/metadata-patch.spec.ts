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
    expect(patchMetadata({ a: undefined, b: 0, c: false }, {})).toEqual({ a: undefined, b: 0, c: false });
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
    ['a value that JSON cannot carry', { count: 1n }, 'patch'],
  ])('is refused when it is %s', (_what, value, at) => {
    expect(readMetadataPatch(value)).toMatchObject({ problems: [{ at: expect.stringContaining(at) }] });
  });
});
