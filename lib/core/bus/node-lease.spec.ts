import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLease, encodeLease } from './node-lease.js';

const toDate = (ms: number) => new Date(ms);
const NODE = { startedAt: new Date(1_000), isAttached: true, connections: 1, users: 2, topics: 3, subscriptions: 4 };

describe('a lease', () => {
  it('is read as it was written', () => {
    expect(decodeLease('n1', encodeLease(NODE), toDate)).toEqual({ id: 'n1', ...NODE });
  });

  it('says when a node is not attached', () => {
    expect(decodeLease('n1', encodeLease({ ...NODE, isAttached: false }), toDate)?.isAttached).toBe(false);
  });
});

describe('what is no lease', () => {
  it('is undefined, and never an exception', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, text) => {
        expect(decodeLease(id, text, toDate)).toBeUndefined();
      }),
    );
  });

  it.each([
    ['of another version', 'n1', '[2,1,1,1,1,1,1]'],
    ['a count that is negative', 'n1', '[1,1,1,-1,1,1,1]'],
    ['a field too few', 'n1', '[1,1,1,1,1,1]'],
    ['a name that no node has', 'n.1', '[1,1,1,1,1,1,1]'],
    ['a text that is too long', 'n1', `[1,1,1,1,1,1,1${' '.repeat(300)}]`],
  ])('is undefined: %s', (_what, id, text) => {
    expect(decodeLease(id, text, toDate)).toBeUndefined();
  });
});
