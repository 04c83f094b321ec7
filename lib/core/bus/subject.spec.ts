import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, connection, role, sameAddress, topic, user, type Address } from '../routing/address.js';
import { nodeOf } from '../connection/connection-id.js';
import { ALL_SUBJECT, nodeSubject, subjectOf, subjectOfAll } from './subject.js';

const name = () =>
  fc.string({ unit: fc.constantFrom('a', ':', '.', 'all', 'user', 'node'), minLength: 1, maxLength: 4 });

const addresses = (): fc.Arbitrary<Address> =>
  fc.oneof(fc.constant(all()), ...[user, role, connection, topic].map((make) => name().map(make)));

describe('subjectOf', () => {
  it.each([
    [all(), 'all'],
    [user('42'), 'user:42'],
    [role('admin'), 'role:admin'],
    [topic('order:1'), 'topic:order:1'],
    [connection('n1.r1'), 'node:n1'],
  ])('publishes %j on %s', (address, subject) => {
    expect(subjectOf(address)).toBe(subject);
  });

  it('knows none for a connection that no node can hold', () => {
    expect(subjectOf(connection('nonsense'))).toBeUndefined();
  });

  it('is shared by two addresses only when they are the same, or connections of one node', () => {
    fc.assert(
      fc.property(addresses(), addresses(), (a, b) => {
        fc.pre(subjectOf(a) !== undefined && subjectOf(a) === subjectOf(b));
        const onOneNode = a.kind === 'connection' && b.kind === 'connection' && nodeOf(a.id) === nodeOf(b.id);
        expect(onOneNode || sameAddress(a, b)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('subjectOfAll', () => {
  it('is that of a single address', () => {
    fc.assert(
      fc.property(addresses(), (address) => {
        expect(subjectOfAll([address])).toBe(subjectOf(address));
      }),
    );
  });

  it('is the one that every node has joined for several', () => {
    expect(subjectOfAll([user('1'), connection('n1.r1')])).toBe(ALL_SUBJECT);
  });

  it('is none without an address', () => {
    expect(subjectOfAll([])).toBeUndefined();
  });
});

describe('nodeSubject', () => {
  it('is where a message to one of the connections of the node goes', () => {
    expect(nodeSubject('n1')).toBe(subjectOf(connection('n1.r1')));
  });
});
