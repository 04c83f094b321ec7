import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  connectionAgeMs,
  createConnection,
  explainConnection,
  explainMetadata,
  filterByMetadata,
  filterByRole,
  filterByUser,
  isConnection,
  removeMetadata,
  setMetadata,
  updateMetadata,
} from './connection.js';

const CREATED = new Date('2026-01-31T12:00:00.000Z');
const make = (partial: Partial<Parameters<typeof createConnection>[0]> = {}) =>
  createConnection({ id: 'n.1', userId: '42', createdAt: CREATED, ...partial });

describe('createConnection', () => {
  it('makes sets of lists', () => {
    const { roles, permissions } = make({ roles: ['a', 'a', 'b'], permissions: ['p'] });
    expect([roles, permissions]).toEqual([new Set(['a', 'b']), new Set(['p'])]);
  });

  it('leaves out what was not given', () => {
    expect(make()).toEqual({
      id: 'n.1',
      userId: '42',
      roles: new Set(),
      permissions: new Set(),
      metadata: {},
      createdAt: CREATED,
    });
  });

  it('does not change when its input does', () => {
    const roles = ['a'];
    const metadata: Record<string, unknown> = { plan: 'free' };
    const connection = make({ roles, metadata });
    roles.push('admin');
    metadata['plan'] = 'gold';
    expect([connection.roles, connection.metadata]).toEqual([new Set(['a']), { plan: 'free' }]);
  });

  it('cannot be changed', () => {
    const connection = make({ metadata: { plan: 'free' } });
    expect([Object.isFrozen(connection), Object.isFrozen(connection.metadata)]).toEqual([true, true]);
  });

  it('makes what isConnection takes for one', () => {
    const text = () => fc.string({ minLength: 1 });
    const input = fc.record({
      id: text(),
      userId: text(),
      roles: fc.array(text()),
      permissions: fc.array(text()),
      metadata: fc.dictionary(text(), fc.anything()),
      createdAt: fc.date({ noInvalidDate: true }),
      expiresAt: fc.date({ noInvalidDate: true }),
    });
    fc.assert(
      fc.property(input, (value) => {
        fc.pre(explainMetadata(value.metadata).length === 0);
        expect(explainConnection(createConnection(value))).toEqual([]);
      }),
    );
  });
});

describe('explainConnection', () => {
  it.each([
    ['id', ''],
    ['userId', undefined],
    ['roles', ['admin']],
    ['roles', new Set([''])],
    ['permissions', new Set([1])],
    ['metadata', []],
    ['createdAt', '2026-01-31'],
    ['createdAt', new Date(NaN)],
    ['createdAt', null],
    ['expiresAt', 1_800_000_000],
    ['expiresAt', { getTime: Date.prototype.getTime }],
  ])('refuses %s: %j', (name, value) => {
    expect(explainConnection({ ...make(), [name]: value }).map((problem) => problem.at)).toEqual([name]);
  });

  it('says everything that is wrong at once', () => {
    expect(explainConnection({}).map((problem) => problem.at)).toEqual([
      'id',
      'userId',
      'roles',
      'permissions',
      'metadata',
      'createdAt',
    ]);
  });

  it('never throws for any value', () => {
    fc.assert(fc.property(fc.anything(), (value) => void isConnection(value)));
  });
});

describe('explainMetadata', () => {
  it.each([['__proto__'], ['constructor'], ['prototype']])('refuses the key %s', (key) => {
    const metadata: unknown = JSON.parse(`{"${key}":1,"plan":"free"}`);
    expect(explainMetadata(metadata)).toEqual([{ at: `metadata.${key}`, message: 'is a reserved name' }]);
  });

  it('takes keys that merely look like methods', () => {
    expect(explainMetadata({ toString: 'x', hasOwnProperty: 1 })).toEqual([]);
  });

  it.each([[undefined], [null], ['x'], [[1]]])('refuses %j, which is no object', (value) => {
    expect(explainMetadata(value).map((problem) => problem.at)).toEqual(['metadata']);
  });
});

describe('connectionAgeMs', () => {
  it('counts the milliseconds since the connection was made', () => {
    expect(connectionAgeMs(make(), new Date(CREATED.getTime() + 1234))).toBe(1234);
  });

  it('is zero when the clock was set back', () => {
    expect(connectionAgeMs(make(), new Date(CREATED.getTime() - 3_600_000))).toBe(0);
  });
});

describe('filters', () => {
  const ann = make({ id: 'n.1', userId: 'ann', roles: ['admin'], metadata: { plan: 'gold' } });
  const bob = make({ id: 'n.2', userId: 'bob', roles: ['__proto__'], metadata: { plan: 'free' } });
  const list = new Set([ann, bob]);

  it('keep the connections of a user', () => {
    expect(filterByUser(list, 'ann')).toEqual([ann]);
  });

  it('keep the connections with a role', () => {
    expect(filterByRole(list, '__proto__')).toEqual([bob]);
  });

  it('keep the connections whose metadata passes', () => {
    expect(filterByMetadata(list, ({ plan }) => plan === 'gold')).toEqual([ann]);
  });

  it('keep nobody for names that only every object has', () => {
    expect([...filterByUser(list, 'toString'), ...filterByRole(list, 'constructor')]).toEqual([]);
  });
});

describe('metadata', () => {
  const before = make({ roles: ['a'], metadata: { plan: 'free', city: 'Bern' } });

  it('is replaced by what the change makes of it', () => {
    expect(updateMetadata(before, ({ plan }) => ({ plan, seen: true })).metadata).toEqual({ plan: 'free', seen: true });
  });

  it('gets one entry set', () => {
    expect(setMetadata(before, 'plan', 'gold').metadata).toEqual({ plan: 'gold', city: 'Bern' });
  });

  it('gets one entry removed', () => {
    expect(removeMetadata(before, 'city').metadata).toEqual({ plan: 'free' });
  });

  it('stays as it is when an entry that is not there is removed', () => {
    expect(removeMetadata(before, 'toString').metadata).toEqual(before.metadata);
  });

  it('of the connection before stays as it was', () => {
    setMetadata(removeMetadata(before, 'city'), 'plan', 'gold');
    expect(before.metadata).toEqual({ plan: 'free', city: 'Bern' });
  });

  it('changes nothing else of the connection', () => {
    const { metadata: _, ...rest } = before;
    expect(setMetadata(before, 'plan', 'gold')).toMatchObject(rest);
  });

  it('of the copy cannot be changed either', () => {
    const after = setMetadata(before, 'plan', 'gold');
    expect([Object.isFrozen(after), Object.isFrozen(after.metadata)]).toEqual([true, true]);
  });

  it.each([['__proto__'], ['constructor'], ['prototype']])('does not take the key %s', (key) => {
    expect(setMetadata(before, key, { admin: true })).toBe(before);
  });

  it('leaves the prototype of all objects alone', () => {
    const hostile = JSON.parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    const after = updateMetadata(make({ metadata: hostile }), (metadata) => ({ ...metadata, ...hostile }));
    expect([({} as { admin?: unknown }).admin, after.metadata['admin']]).toEqual([undefined, undefined]);
  });
});

describe('The state of a connection', () => {
  it('is the same object for every snapshot, whichever is asked first', () => {
    const before = make();
    const after = createConnection({ ...before, roles: ['admin'] }, before);
    const last = setMetadata(after, 'plan', 'gold');
    Object.assign(last.state, { count: 1 });
    expect([before.state, after.state]).toEqual([{ count: 1 }, { count: 1 }]);
    expect(before.state).toBe(last.state);
  });

  it('is another one for another connection', () => {
    expect(make().state).not.toBe(make().state);
  });

  it('does not go along where the connection is written as JSON', () => {
    const connection = make();
    Object.assign(connection.state, { secret: 1 });
    expect(JSON.stringify(connection)).not.toContain('secret');
  });
});
