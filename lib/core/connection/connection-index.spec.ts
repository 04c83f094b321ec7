import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createConnection, filterByRole, filterByUser, type RealtimeConnection } from './connection.js';
import { ConnectionIndex } from './connection-index.js';

const make = (id: string, userId: string, roles: Iterable<string> = []) =>
  createConnection({ id, userId, roles, createdAt: new Date(0) });

const IDS = ['n.1', 'n.2', 'n.3', 'constructor', '__proto__'];
const NAMES = ['ann', 'bob', 'constructor', '__proto__', 'toString'];

const connections = () =>
  fc
    .record({ id: fc.constantFrom(...IDS), userId: fc.constantFrom(...NAMES), roles: fc.subarray(NAMES) })
    .map(({ id, userId, roles }) => make(id, userId, roles));

const changes = () =>
  fc.array(
    fc.oneof(
      connections().map((connection) => ({ set: connection })),
      fc.constantFrom(...IDS).map((id) => ({ remove: id })),
    ),
    { maxLength: 30, size: 'max' },
  );

const idsIn = (list: Iterable<RealtimeConnection>) => Array.from(list, ({ id }) => id).sort();

describe('ConnectionIndex', () => {
  it('agrees with a plain list after any changes', () => {
    fc.assert(
      fc.property(changes(), (steps) => {
        const index = new ConnectionIndex();
        const list = new Map<string, RealtimeConnection>();
        for (const step of steps) {
          if ('set' in step) {
            index.set(step.set);
            list.set(step.set.id, step.set);
          } else {
            expect(index.remove(step.remove)).toBe(list.get(step.remove));
            list.delete(step.remove);
          }
        }
        expect(index.size).toBe(list.size);
        expect([...index.ids()].sort()).toEqual(idsIn(list.values()));
        expect(index.userCount).toBe(new Set(Array.from(list.values(), ({ userId }) => userId)).size);
        for (const id of IDS) expect(index.get(id)).toBe(list.get(id));
        for (const name of NAMES) {
          expect([...index.idsOfUser(name)].sort()).toEqual(idsIn(filterByUser(list.values(), name)));
          expect([...index.idsOfRole(name)].sort()).toEqual(idsIn(filterByRole(list.values(), name)));
        }
      }),
    );
  });

  it('finds a newer snapshot under its new roles only', () => {
    const index = new ConnectionIndex();
    index.set(make('n.1', 'ann', ['reader', 'editor']));
    index.set(make('n.1', 'ann', ['editor', 'admin']));
    expect(['reader', 'editor', 'admin'].map((role) => index.idsOfRole(role).size)).toEqual([0, 1, 1]);
  });

  it('finds a newer snapshot under its new user only', () => {
    const index = new ConnectionIndex();
    index.set(make('n.1', 'ann'));
    index.set(make('n.1', 'bob'));
    expect([index.idsOfUser('ann').size, index.idsOfUser('bob').size, index.userCount]).toEqual([0, 1, 1]);
  });

  it('comes to an end when snapshots are replaced while their set is walked', () => {
    const index = new ConnectionIndex();
    for (const id of ['n.1', 'n.2']) index.set(make(id, 'ann', ['editor']));
    const walked: string[] = [];
    for (const set of [index.ids(), index.idsOfUser('ann'), index.idsOfRole('editor')]) {
      for (const id of set) {
        if (walked.push(id) > 6) break;
        index.set(make(id, 'ann', ['editor', 'admin']));
      }
    }
    expect(walked).toEqual(['n.1', 'n.2', 'n.1', 'n.2', 'n.1', 'n.2']);
  });

  it('may lose connections while their set is walked', () => {
    const index = new ConnectionIndex();
    for (const id of ['n.1', 'n.2', 'n.3']) index.set(make(id, 'ann'));
    for (const id of index.idsOfUser('ann')) index.remove(id);
    expect(index.size).toBe(0);
  });

  it('knows nobody by the names that every object has', () => {
    const index = new ConnectionIndex();
    const found = ['constructor', '__proto__', 'toString'].flatMap((name) => [
      index.get(name),
      ...index.idsOfUser(name),
      ...index.idsOfRole(name),
    ]);
    expect(found).toEqual([undefined, undefined, undefined]);
  });
});
