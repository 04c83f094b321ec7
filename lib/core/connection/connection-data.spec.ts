import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromConnectionData, toConnectionData } from './connection-data.js';
import { createConnection } from './connection.js';

const toDate = (ms: number) => new Date(ms);
const throughJson = (value: unknown) => fromConnectionData(JSON.parse(JSON.stringify(value)), toDate);

const CONNECTION = createConnection({
  id: 'n.1',
  userId: 'ann',
  roles: ['admin'],
  permissions: ['read'],
  metadata: { device: 'phone' },
  createdAt: new Date(1),
  expiresAt: new Date(2),
});

describe('a connection on its way to another node', () => {
  it('is the same afterwards', () => {
    expect(throughJson(toConnectionData(CONNECTION))).toEqual(CONNECTION);
  });

  it('has no time of expiry when it had none', () => {
    const lasting = createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(1) });
    expect(throughJson(toConnectionData(lasting))).toEqual(lasting);
  });
});

describe('data that describes no connection', () => {
  it('is undefined, and never an exception', () => {
    fc.assert(
      fc.property(fc.anything(), (data) => {
        expect(fromConnectionData(data, toDate)).toBeUndefined();
      }),
    );
  });

  it.each<[what: string, change: object]>([
    ['without a user', { userId: undefined }],
    ['with roles that are no names', { roles: [1] }],
    ['with permissions that are no list', { permissions: 'all' }],
    ['with metadata that is no object', { metadata: 'x' }],
    ['without metadata', { metadata: null }],
    ['with a time that is none', { createdAt: 'now' }],
  ])('is undefined: %s', (_what, change) => {
    expect(throughJson({ ...toConnectionData(CONNECTION), ...change })).toBeUndefined();
  });

  it('is undefined: with names that reach a prototype', () => {
    const data = JSON.parse(JSON.stringify(toConnectionData(CONNECTION)).replace('"device"', '"__proto__"')) as unknown;
    expect(fromConnectionData(data, toDate)).toBeUndefined();
  });
});
