import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InMemoryConnectionRegistry } from '../../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../../adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPresenceStore } from '../../adapters/in-memory/in-memory-presence-store.js';
import { InMemoryPubSubManager } from '../../adapters/in-memory/in-memory-pub-sub-manager.js';
import { createConnection } from '../../core/connection/connection.js';
import { CLOSE_CODES } from '../../core/protocol/close-code.js';
import { onlineTopic } from '../../core/topic/reserved-topic.js';
import { LocalDelivery } from '../../delivery/local-delivery.js';
import { LocalPresence } from '../../delivery/local-presence.js';
import { PresencePictures } from '../../delivery/presence-pictures.js';
import { PresenceWatchers } from '../../delivery/presence-watchers.js';
import type { TopicPolicy } from '../../delivery/topic-policies.js';
import { RealtimeSettings, type RealtimeOptions } from '../../options/realtime.options.js';
import { TopicPresence } from './topic-presence.js';
import { NodeMeter } from '../../delivery/node-meter.js';

const GRACE_MS = 60_000;
const POLICIES: Readonly<Record<string, TopicPolicy>> = {
  room: { presence: true },
  plain: {},
  secret: { presence: true, clientAccess: false },
};

const ann = createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(0) });
const bob = createConnection({ id: 'n.2', userId: 'bob', createdAt: new Date(0) });

let watchers: PresenceWatchers;
let store: InMemoryPresenceStore;
let local: LocalPresence;
let presence: TopicPresence;

/** Puts an open store of an empty node behind the presence of topics. */
async function start(options: RealtimeOptions): Promise<void> {
  const bus = new InMemoryMessageBus();
  bus.open({ id: 'n', receive: () => 0, respond: () => [] });
  watchers = new PresenceWatchers();
  store = new InMemoryPresenceStore(bus);
  local = new LocalPresence(store, GRACE_MS);
  await local.open('n');
  const [registry, pubSub] = [new InMemoryConnectionRegistry(), new InMemoryPubSubManager()];
  const delivery = new LocalDelivery(registry, pubSub, watchers, { now: () => 0 }, new NodeMeter());
  presence = new TopicPresence(
    new RealtimeSettings(options),
    { hasGateways: true, of: (topic) => POLICIES[topic] },
    local,
    watchers,
    store,
    new PresencePictures(watchers, delivery, store, 0),
  );
}

beforeEach(() => start({ limits: { maxPresenceUsers: 1 }, presence: { online: true } }));
afterEach(() => local.close());

/** The users in a topic, each with the number of connections. */
const usersIn = (topic: string) =>
  Object.fromEntries(store.read(topic, Infinity).users.map(({ userId, connections }) => [userId, connections]));

describe('a welcomed connection', () => {
  it('makes its user online', () => {
    presence.opened(ann);
    expect(usersIn(onlineTopic('ann'))).toEqual({ ann: 1 });
  });

  it('is not tracked unless the option is set', async () => {
    await start({});
    presence.opened(ann);
    expect(usersIn(onlineTopic('ann'))).toEqual({});
  });
});

describe('an active subscription', () => {
  it('makes its user a member, with the info of the application', () => {
    presence.entered('room', ann, { name: 'Ann' });
    expect(store.read('room', Infinity).users).toEqual([{ userId: 'ann', connections: 1, info: { name: 'Ann' } }]);
  });

  it('makes no member of a topic without presence', () => {
    presence.entered('plain', ann);
    expect(usersIn('plain')).toEqual({});
  });

  it.each([
    ['starts', false, true, true],
    ['ends', true, false, false],
    ['leaves unchanged, if unset,', true, undefined, true],
    ['does not start, if unset,', false, undefined, false],
  ])('%s the watching of joins and leaves', (_what, before, isWatching, after) => {
    if (before) watchers.watch('room', ann.id);
    presence.entered('room', ann, undefined, isWatching);
    expect(watchers.of('room').has(ann.id)).toBe(after);
  });

  it('that ends removes the member and the watcher at once', () => {
    presence.entered('room', ann, undefined, true);
    presence.left('room', ann);
    expect([usersIn('room'), watchers.of('room').size]).toEqual([{}, 0]);
  });
});

describe('the end of a connection', () => {
  beforeEach(() => {
    presence.opened(ann);
    presence.entered('room', ann, undefined, true);
  });

  it('keeps the user in its topics and online for the grace period if the client may reconnect', () => {
    presence.ended(ann, ['room'], CLOSE_CODES.SHUTDOWN.code);
    expect([usersIn('room'), usersIn(onlineTopic('ann'))]).toEqual([{ ann: 0 }, { ann: 0 }]);
  });

  it('removes the user at once if the close code forbids reconnecting', () => {
    presence.ended(ann, ['room'], CLOSE_CODES.FORCED.code);
    expect([usersIn('room'), usersIn(onlineTopic('ann'))]).toEqual([{}, {}]);
  });

  it.each([CLOSE_CODES.SHUTDOWN.code, CLOSE_CODES.FORCED.code])('with %i ends the watching', (code) => {
    presence.ended(ann, ['room'], code);
    expect(watchers.of('room').size).toBe(0);
  });
});

describe('a client that reads the members', () => {
  it.each([
    ['room', undefined],
    ['plain', 'NO_HANDLER'],
    ['secret', 'FORBIDDEN'],
    ['nowhere', 'TOPIC_NOT_FOUND'],
  ])('of the topic "%s" gets the refusal %s', (topic, code) => {
    expect(presence.refusalOf(topic)?.code).toBe(code);
  });

  it('gets at most as many users as the limit, and exact counts', async () => {
    for (const each of [ann, bob]) presence.entered('room', each);
    const { users, userCount } = await presence.read('room');
    expect([users.length, userCount]).toEqual([1, 2]);
  });

  it('gets at most half of what may wait for it to be sent, and exact counts', async () => {
    await start({ limits: { sendQueueBytes: 1_024 } });
    for (const each of [ann, bob]) presence.entered('room', each, 'x'.repeat(400));
    const { users, userCount } = presence.fitting(await presence.read('room'));
    expect([users.length, userCount]).toEqual([1, 2]);
  });
});
