import assert from 'node:assert/strict';
import type { PresenceChange } from '../../core/presence/presence.js';
import type { ContractCase } from './contract-case.js';
import { eventually, PresenceNode, uniqueRoom, type PresenceSetup } from './presence-node.js';

/**
 * Guarantees of every `PresenceStore` that connects nodes. The stores that one case creates belong to nodes that know of each
 * other; each has its own bus, and a way to crash its node.
 * @publicApi
 */
export const sharedPresenceStoreContract: readonly ContractCase<PresenceSetup>[] = [
  sharedCase('tells only the first node that a user has joined, and the topic once', async ([a, b], room) => {
    await a.set(room, 'ann');
    await b.set(room, 'ann');
    assert.deepEqual(kindsOf(await a.heard(room)), ['joined']);
    assert.deepEqual(kindsOf(a.toldOf(room)), ['joined']);
    assert.deepEqual(b.toldOf(room), []);
  }),
  sharedCase('tells only the last node that a user has left, and the topic once', async ([a, b], room) => {
    await a.set(room, 'ann');
    await b.set(room, 'ann');
    await a.store.remove(room, 'ann');
    assert.deepEqual(kindsOf(await b.heard(room)), ['joined']);
    await b.store.remove(room, 'ann');
    assert.deepEqual(kindsOf(await b.heard(room)), ['joined', 'left']);
    assert.deepEqual([kindsOf(a.toldOf(room)), kindsOf(b.toldOf(room))], [['joined'], ['left']]);
  }),
  sharedCase('tells one node when several say so at the same time', async ([a, b], room) => {
    const users = Array.from({ length: 100 }, (_, i) => `user-${i}`).sort();
    await Promise.all(users.flatMap((userId) => [a.set(room, userId), b.set(room, userId)]));
    const told = [...a.toldOf(room), ...b.toldOf(room)];
    assert.deepEqual(told.map(({ userId }) => userId).sort(), users);
    assert.equal((await a.heard(room)).length, users.length);
  }),
  sharedCase('tells the topic of all changes in one order on all nodes', async ([a, b], room) => {
    const busy = async (node: PresenceNode, name: string) => {
      for (let i = 0; i < 20; i++) {
        await Promise.all([node.set(room, name), node.set(room, 'both')]);
        await Promise.all([node.store.remove(room, name), node.store.remove(room, 'both')]);
      }
    };
    await Promise.all([busy(a, 'ann'), busy(b, 'bob')]);
    const heard = [await a.heard(room), await b.heard(room)];
    assert.deepEqual(heard[0], heard[1]);
    for (const name of ['ann', 'bob', 'both']) {
      const kinds = kindsOf(heard[0]!.filter(({ userId }) => userId === name));
      assert.ok(kinds.length > 0 && kinds.length % 2 === 0, `${name} was there and has left`);
      assert.ok(kinds.every((kind, i) => kind === ['joined', 'left'][i % 2]));
    }
  }),
  sharedCase('reads each user once, with the connections on all nodes, on any node', async ([a, b], room) => {
    await a.set(room, 'ann', 2);
    await b.set(room, 'ann', 3);
    await b.set(room, 'bob', 1);
    const expected = {
      topic: room,
      users: [
        { userId: 'ann', connections: 5 },
        { userId: 'bob', connections: 1 },
      ],
      userCount: 2,
      connectionCount: 6,
    };
    assert.deepEqual([await a.read(room), await b.read(room)], [expected, expected]);
  }),
  sharedCase('reads the info that was set last, whoever said so', async ([a, b], room) => {
    await a.set(room, 'ann', 1, 'first');
    await b.set(room, 'ann', 1, 'second');
    assert.equal((await a.read(room)).users[0]?.info, 'second');
    await a.set(room, 'ann', 1, 'third');
    assert.equal((await b.read(room)).users[0]?.info, 'third');
  }),
  sharedCase('shows the newest info of the nodes that have the user', async ([a, b], room) => {
    const shown = async () => (await a.read(room)).users[0]?.info;
    await a.set(room, 'ann', 2, 'first', 2_000);
    await b.set(room, 'ann', 1, 'second', 1_000);
    await a.set(room, 'ann', 1);
    assert.equal(await shown(), 'second');
    await b.store.remove(room, 'ann');
    assert.equal(await shown(), 'first');
    const kinds = ['joined', 'updated', 'updated'];
    assert.deepEqual(kindsOf(await a.heard(room)), kinds);
    assert.deepEqual([kindsOf(a.toldOf(room)), kindsOf(b.toldOf(room))], [['joined'], ['updated', 'updated']]);
  }),
  sharedCase('shows an info that is set on any node, and tells one of it', async ([a, b], room) => {
    await a.set(room, 'ann', 1, 'first');
    assert.equal(await b.store.update(room, 'ann', 'set'), true);
    assert.equal((await a.read(room)).users[0]?.info, 'set');
    await a.heard(room);
    assert.deepEqual(kindsOf([...a.toldOf(room), ...b.toldOf(room)]), ['joined', 'updated']);
  }),
  sharedCase('keeps those who move from a node that closes to another', async ([a, b, c], room) => {
    await a.set(room, 'ann', 0);
    await a.set(room, 'bob', 0);
    await a.close(300);
    await b.set(room, 'ann', 1);
    const told = () => [...b.toldOf(room), ...c.toldOf(room)];
    await eventually(() => told().length > 0, 'bob, who has not moved, should have left', 'afterCrash');
    const left = [{ kind: 'left', userId: 'bob' }];
    assert.deepEqual((await b.heard(room)).slice(2), left);
    assert.deepEqual(told(), left);
    assert.deepEqual(await b.read(room), {
      topic: room,
      users: [{ userId: 'ann', connections: 1 }],
      userCount: 1,
      connectionCount: 1,
    });
  }),
  sharedCase('waits for those who were on a node that has closed, for the time given', async ([a, b, c], room) => {
    await a.set(room, 'ann', 0);
    await a.close(60_000);
    await b.heard(room);
    assert.equal((await b.read(room)).userCount, 1);
    assert.deepEqual([...b.toldOf(room), ...c.toldOf(room)], []);
  }),
  sharedCase('lets those who were on a node that crashes leave, once', async ([a, b, c], room) => {
    const users = Array.from({ length: 30 }, (_, i) => `user-${i}`).sort();
    await Promise.all(users.map((userId) => c.set(room, userId)));
    await a.set(room, 'ann');
    await c.crash();
    await eventually(async () => (await a.read(room)).userCount === 1, 'all should have left', 'afterCrash');
    for (const node of [a, b]) {
      const left = (await node.heard(room)).filter(({ kind }) => kind === 'left');
      assert.deepEqual(left.map(({ userId }) => userId).sort(), users);
    }
    const told = [...a.toldOf(room), ...b.toldOf(room)].filter(({ kind }) => kind === 'left');
    assert.deepEqual(told.map(({ userId }) => userId).sort(), users);
  }),
  sharedCase('keeps a user of a node that crashes who is on another', async ([a, , c], room) => {
    await c.set(room, 'ann', 2, 'there');
    await a.set(room, 'ann', 1, 'here');
    await c.set(room, 'bob');
    await c.crash();
    await eventually(async () => (await a.read(room)).userCount === 1, 'bob should have left', 'afterCrash');
    assert.deepEqual(await a.read(room), {
      topic: room,
      users: [{ userId: 'ann', info: 'here', connections: 1 }],
      userCount: 1,
      connectionCount: 1,
    });
    const ofAnn = (await a.heard(room)).filter(({ userId, kind }) => userId === 'ann' && kind !== 'updated');
    assert.deepEqual(kindsOf(ofAnn), ['joined']);
  }),
];

type Nodes = readonly [a: PresenceNode, b: PresenceNode, c: PresenceNode];

/** Three nodes whose buses have joined one topic. */
function sharedCase(name: string, use: (nodes: Nodes, room: string) => Promise<void>): ContractCase<PresenceSetup> {
  return {
    name,
    run: (create) =>
      PresenceNode.run(create, (a) =>
        PresenceNode.run(create, (b) =>
          PresenceNode.run(create, async (c) => {
            const room = uniqueRoom();
            for (const node of [a, b, c]) await node.join(room);
            await use([a, b, c], room);
          }),
        ),
      ),
  };
}

function kindsOf(changes: readonly PresenceChange[]): string[] {
  return changes.map(({ kind }) => kind);
}
