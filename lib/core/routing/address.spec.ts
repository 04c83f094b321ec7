import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, connection, explainAddress, role, sameAddress, topic, user, type Address } from './address.js';

const addresses = (): fc.Arbitrary<Address> =>
  fc.oneof(
    fc.constant(all()),
    ...[user, role, connection].map((make) => fc.string({ minLength: 1 }).map(make)),
    fc.stringMatching(/^[A-Za-z0-9_.:/@-]{1,20}$/).map(topic),
  );

describe('explainAddress', () => {
  it('finds nothing wrong with an address made by the functions', () => {
    fc.assert(
      fc.property(addresses(), (address) => {
        expect(explainAddress(address)).toEqual([]);
      }),
    );
  });

  it.each([
    ['user', user(''), 'userId'],
    ['role', role(''), 'role'],
    ['connection', connection(''), 'connectionId'],
    ['topic', topic(''), 'topic'],
  ])('names the argument when the id of a %s is empty', (_, address, at) => {
    expect(explainAddress(address).map((problem) => problem.at)).toEqual([at]);
  });

  it('names the argument when an id is no string', () => {
    expect(explainAddress(user(42 as never))).toEqual([{ at: 'userId', message: 'must be a non-empty string' }]);
  });

  it('refuses a topic that no topic can be called', () => {
    expect(explainAddress(topic('a b'))).toHaveLength(1);
  });

  it.each([[undefined], [null], ['user'], [42], [[]], [{}], [{ kind: 'constructor', id: 'x' }], [{ kind: null }]])(
    'refuses %j, which is no address',
    (value) => {
      expect(explainAddress(value).map((problem) => problem.at)).toEqual(['address']);
    },
  );

  it('never throws for any value', () => {
    fc.assert(fc.property(fc.anything(), (value) => void explainAddress(value)));
  });
});

describe('sameAddress', () => {
  it('is true exactly for equal kinds with equal ids', () => {
    fc.assert(
      fc.property(addresses(), addresses(), (a, b) => {
        expect(sameAddress(a, b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('tells a user from a role of the same name', () => {
    expect(sameAddress(user('admin'), role('admin'))).toBe(false);
  });

  it('holds for a copy', () => {
    fc.assert(fc.property(addresses(), (address) => sameAddress(address, { ...address })));
  });
});
