import assert from 'node:assert/strict';
import type { ContractCase } from './contract-case.js';
import { PresenceNode, uniqueRoom, type PresenceSetup } from './presence-node.js';

/**
 * Guarantees of every `PresenceStore` on one node.
 * @publicApi
 */
export const presenceStoreContract: readonly ContractCase<PresenceSetup>[] = [
  storeCase('tells the node and the topic once that a user has joined', async (node, room) => {
    await node.set(room, 'ann', 1, { name: 'Ann' });
    const joined = [{ kind: 'joined', userId: 'ann', info: { name: 'Ann' } }];
    assert.deepEqual(await node.heard(room), joined);
    assert.deepEqual(node.toldOf(room), joined);
  }),
  storeCase(
    'tells the node and the topic once that a user has left, with the info of the last set',
    async (node, room) => {
      await node.set(room, 'ann', 1, 'first');
      await node.set(room, 'ann', 2, 'last');
      await node.store.remove(room, 'ann');
      await node.store.remove(room, 'ann');
      const left = [{ kind: 'left', userId: 'ann', info: 'last' }];
      assert.deepEqual((await node.heard(room)).slice(2), left);
      assert.deepEqual(node.toldOf(room).slice(2), left);
    },
  ),
  storeCase('tells nobody when a user is set again', async (node, room) => {
    await node.set(room, 'ann');
    await node.set(room, 'ann');
    await node.set(room, 'ann', 2);
    await node.set(room, 'ann', 0);
    assert.equal((await node.heard(room)).length, 1);
    assert.equal(node.toldOf(room).length, 1);
  }),
  storeCase('tells nobody when nobody is removed', async (node, room) => {
    await node.set(room, 'ann');
    await node.store.remove(room, 'bob');
    assert.equal((await node.heard(room)).length, 1);
    assert.equal(node.toldOf(room).length, 1);
  }),
  storeCase('tells joins and leaves in their order', async (node, room) => {
    const kinds: string[] = [];
    for (let time = 0; time < 20; time++) {
      await node.set(room, 'ann');
      await node.store.remove(room, 'ann');
      kinds.push('joined', 'left');
    }
    assert.deepEqual(kindsOf(await node.heard(room)), kinds);
    assert.deepEqual(kindsOf(node.toldOf(room)), kinds);
  }),
  storeCase('tells the node and the topic once that another info is shown', async (node, room) => {
    await node.set(room, 'ann', 1, 'first');
    await node.set(room, 'ann', 1, 'second');
    await node.set(room, 'ann', 2, 'second');
    const updated = [{ kind: 'updated', userId: 'ann', info: 'second' }];
    assert.deepEqual((await node.heard(room)).slice(1), updated);
    assert.deepEqual(node.toldOf(room).slice(1), updated);
  }),
  storeCase('shows the info that is set of a user, and says whether the user is there', async (node, room) => {
    await node.set(room, 'ann', 1, 'first');
    assert.equal(await node.store.update(room, 'ann', { away: true }), true);
    assert.equal(await node.store.update(room, 'bob', { away: true }), false);
    assert.deepEqual((await node.read(room)).users, [{ userId: 'ann', info: { away: true }, connections: 1 }]);
    const updated = [{ kind: 'updated', userId: 'ann', info: { away: true } }];
    assert.deepEqual((await node.heard(room)).slice(1), updated);
    assert.deepEqual(node.toldOf(room).slice(1), updated);
  }),
  storeCase('shows what was set until a newer info is said, and not for a user who comes back', async (node, room) => {
    const shown = async () => (await node.read(room)).users[0]?.info;
    await node.set(room, 'ann', 2, 'first', 1_000);
    await node.store.update(room, 'ann', 'set');
    await node.set(room, 'ann', 1, 'first', 1_000);
    assert.equal(await shown(), 'set');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await node.set(room, 'ann', 2, 'newer');
    assert.equal(await shown(), 'newer');
    await node.store.remove(room, 'ann');
    await node.set(room, 'ann', 1, 'back', 5_000);
    assert.equal(await shown(), 'back');
  }),
  storeCase('sees in what it reads all that was said before, waited for or not', async (node, room) => {
    for (let time = 0; time < 20; time++) {
      void node.set(room, 'ann');
      assert.equal((await node.read(room)).userCount, 1);
      void node.store.remove(room, 'ann');
      assert.equal((await node.read(room)).userCount, 0);
    }
  }),
  storeCase('gives a picture of all users, or none when there are too many', async (node, room) => {
    const users = numbered(30);
    await Promise.all(users.map((userId) => node.set(room, userId, 1, `info of ${userId}`)));
    const picture = await node.store.picture(room, 30);
    assert.deepEqual(picture?.users, new Map(users.map((userId) => [userId, `info of ${userId}`])));
    assert.equal(await node.store.picture(room, 29), undefined);
  }),
  storeCase('chains each change to the one before it, where a change can be lost', async (node, room) => {
    const place = async () => (await node.store.positions([uniqueRoom(), room]))[1]?.sequence;
    for (const userId of ['ann', 'bob']) await node.set(room, userId);
    const between = await place();
    await node.store.remove(room, 'ann');
    await node.heard(room);
    const links = node.newsOf(room).map(({ at }) => at);
    if (links.every((link) => link === undefined)) return assert.equal(between, undefined);
    assert.equal(links[0]?.previous, 0);
    links.slice(1).forEach((link, i) => assert.equal(link?.previous, links[i]?.sequence));
    assert.equal(between, links[1]?.sequence);
  }),
  storeCase('reads who is in a topic', async (node, room) => {
    await node.set(room, 'ann', 2, { name: 'Ann' });
    await node.set(room, 'bob', 1);
    assert.deepEqual(await node.read(room), {
      topic: room,
      users: [
        { userId: 'ann', info: { name: 'Ann' }, connections: 2 },
        { userId: 'bob', connections: 1 },
      ],
      userCount: 2,
      connectionCount: 3,
    });
  }),
  storeCase('reads that nobody is in a topic', async (node, room) => {
    await node.set(room, 'ann');
    await node.store.remove(room, 'ann');
    assert.deepEqual(await node.read(room), nobodyIn(room));
    const empty = uniqueRoom();
    assert.deepEqual(await node.read(empty), nobodyIn(empty));
  }),
  storeCase('reads what was set last, and an info that was left out as it was', async (node, room) => {
    await node.set(room, 'ann', 3, 'first');
    await node.set(room, 'ann', 2, 'second');
    await node.set(room, 'bob', 1, 'kept');
    await node.set(room, 'bob', 1);
    assert.deepEqual(await node.read(room), {
      topic: room,
      users: [
        { userId: 'ann', info: 'second', connections: 2 },
        { userId: 'bob', info: 'kept', connections: 1 },
      ],
      userCount: 2,
      connectionCount: 3,
    });
  }),
  storeCase('keeps a user without connections until it is removed', async (node, room) => {
    await node.set(room, 'ann', 0);
    assert.deepEqual(await node.read(room), {
      topic: room,
      users: [{ userId: 'ann', connections: 0 }],
      userCount: 1,
      connectionCount: 0,
    });
  }),
  storeCase('lists no more than it is asked for, and counts all', async (node, room) => {
    await Promise.all(numbered(30).map((userId) => node.set(room, userId, 2)));
    const { users, ...counts } = await node.read(room, 10);
    assert.equal(new Set(users.map(({ userId }) => userId)).size, 10);
    assert.deepEqual(counts, { topic: room, userCount: 30, connectionCount: 60 });
    assert.deepEqual(await node.read(room, 0), { topic: room, users: [], userCount: 30, connectionCount: 60 });
    assert.equal((await node.read(room, Infinity)).users.length, 30);
  }),
  storeCase('keeps many users in many topics apart', async (node) => {
    const rooms = Array.from({ length: 40 }, uniqueRoom);
    const users = numbered(20);
    await Promise.all(rooms.flatMap((room) => users.map((userId) => node.set(room, userId))));
    await Promise.all(
      rooms.slice(1).flatMap((room) => users.slice(1).map((userId) => node.store.remove(room, userId))),
    );
    assert.equal((await node.read(rooms[0]!)).userCount, 20);
    for (const room of rooms.slice(1)) {
      assert.deepEqual(await node.read(room), {
        topic: room,
        users: [{ userId: users[0]!, connections: 1 }],
        userCount: 1,
        connectionCount: 1,
      });
      assert.equal(node.toldOf(room).length, 39);
    }
  }),
  storeCase('tells of each of many users who come at the same time, once', async (node, room) => {
    const users = numbered(500);
    await Promise.all(users.map((userId) => node.set(room, userId)));
    for (const changes of [await node.heard(room), node.toldOf(room)]) {
      assert.deepEqual(changes.map(({ userId }) => userId).sort(), users);
      assert.ok(changes.every(({ kind }) => kind === 'joined'));
    }
  }),
  storeCase('holds to the last of many calls that are not waited for', async (node, room) => {
    const calls = Array.from({ length: 50 }, (_, i) => [
      node.set(room, 'ann', i),
      node.store.remove(room, 'ann'),
      node.store.remove(room, 'bob'),
      node.set(room, 'bob', i),
    ]);
    await Promise.all(calls.flat());
    assert.deepEqual((await node.read(room)).users, [{ userId: 'bob', connections: 49 }]);
    for (const changes of [await node.heard(room), node.toldOf(room)]) {
      const [ofAnn, ofBob] = ['ann', 'bob'].map((name) => kindsOf(changes.filter(({ userId }) => userId === name)));
      assert.ok(ofAnn!.every((kind, i) => kind === ['joined', 'left'][i % 2]) && ofAnn!.length % 2 === 0);
      assert.ok(ofBob!.every((kind, i) => kind === ['joined', 'left'][i % 2]) && ofBob!.length % 2 === 1);
    }
  }),
  storeCase('carries user ids and info of any kind unchanged', async (node, room) => {
    const members = STRANGE_USERS.map((userId, i) => ({ userId, info: STRANGE_INFO[i % STRANGE_INFO.length] }));
    for (const { userId, info } of members) await node.set(room, userId, 1, info);
    const sorted = members.toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
    assert.deepEqual(
      (await node.read(room)).users,
      sorted.map((member) => ({ ...member, connections: 1 })),
    );
    const joined = members.map((member) => ({ kind: 'joined', ...member }));
    assert.deepEqual(await node.heard(room), joined);
    assert.deepEqual(node.toldOf(room), joined);
  }),
  storeCase('has a place for topics that are the package’s own', async (node) => {
    const room = `#online:${uniqueRoom()} "of" {any} \\kind\n`;
    await node.set(room, 'ann');
    assert.equal((await node.read(room)).userCount, 1);
    await node.store.remove(room, 'ann');
    assert.deepEqual(await node.read(room), nobodyIn(room));
    assert.deepEqual(kindsOf(node.toldOf(room)), ['joined', 'left']);
  }),
  storeCase('tells nobody of those who are there when it is closed', async (node, room) => {
    await node.set(room, 'ann');
    await node.heard(room);
    await node.close(60_000);
    await node.bus.settled();
    assert.deepEqual(kindsOf(node.arrived(room)), ['joined']);
    assert.deepEqual(kindsOf(node.toldOf(room)), ['joined']);
  }),
];

const nobodyIn = (topic: string) => ({ topic, users: [], userCount: 0, connectionCount: 0 });

const STRANGE_USERS = ['__proto__', 'ünal \u{1f600}', '1\n2', '"', ' ', '{0}', '\ud800', '\ufffd', '%s', 'constructor'];
const STRANGE_INFO = [{ deep: [{ '': null }] }, 'a\n"b" \u2028', 0, false, '\ud800', [], { a: 1.5 }];

function storeCase(
  name: string,
  use: (node: PresenceNode, room: string) => Promise<void>,
): ContractCase<PresenceSetup> {
  return {
    name,
    run: (create) =>
      PresenceNode.run(create, async (node) => {
        const room = uniqueRoom();
        await node.join(room);
        await use(node, room);
      }),
  };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`).sort();
}

function kindsOf(changes: readonly { readonly kind: string }[]): string[] {
  return changes.map(({ kind }) => kind);
}
