import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionIdOn, nodeOf } from './connection-id.js';

const part = () => fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('nodeOf', () => {
  it('finds the node again that the id was made with', () => {
    fc.assert(
      fc.property(part(), part(), (nodeId, random) => {
        expect(nodeOf(connectionIdOn(nodeId, random))).toBe(nodeId);
      }),
    );
  });

  it.each([[''], ['.'], ['n1'], ['n1.'], ['.r1'], ['n1.r1.x'], ['n1..r1'], ['..']])(
    'knows no node for %j, which no node gave out',
    (id) => {
      expect(nodeOf(id)).toBeUndefined();
    },
  );

  it('knows a node exactly for two parts around one dot', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '_') }), (id) => {
        const parts = id.split('.');
        const wellFormed = parts.length === 2 && parts.every((text) => text !== '');
        expect(nodeOf(id)).toBe(wellFormed ? parts[0] : undefined);
      }),
    );
  });

  it('takes `__proto__` and `constructor` for ordinary nodes', () => {
    expect(['__proto__.x', 'constructor.x'].map(nodeOf)).toEqual(['__proto__', 'constructor']);
  });
});
