import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPresenceStore } from '../../lib/adapters/in-memory/in-memory-presence-store.js';
import type { PresenceNews } from '../../lib/core/presence/presence-position.js';
import type { Envelope } from '../../lib/core/routing/envelope.js';
import type { MessageBus } from '../../lib/ports/message-bus.js';
import type { PresenceNode, PresenceStore } from '../../lib/ports/presence-store.js';
import { presenceStoreContract, type PresenceSetup } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

const createOn = (bus: MessageBus): PresenceSetup => ({ bus, store: new InMemoryPresenceStore(bus) });

const twin = (change: (real: PresenceStore) => Partial<PresenceStore>) => () => {
  const bus = new InMemoryMessageBus();
  return { bus, store: twinOf<PresenceStore>(() => new InMemoryPresenceStore(bus), change)() };
};

/** Tells the node something else. */
const telling = (change: (changed: PresenceNode['changed']) => PresenceNode['changed']) =>
  twin((real) => ({ open: ({ id, changed }) => real.open({ id, changed: change(changed) }) }));

/** Takes what it is told for something else. */
const hearing = (change: (set: PresenceStore['set'], real: PresenceStore) => PresenceStore['set']) =>
  twin((real) => ({ set: change((...args) => real.set(...args), real) }));

/** Publishes something else. */
const publishing = (change: (envelope: Envelope, publish: (envelope: Envelope) => void) => void) => () => {
  const bus = new InMemoryMessageBus();
  const changed = twinOf<MessageBus>(
    () => bus,
    () => ({
      publish(subject, envelope) {
        change(envelope, (each) => void bus.publish(subject, each));
        return { recipients: 0, nodes: 0, complete: true };
      },
    }),
  );
  return { bus, store: new InMemoryPresenceStore(changed()) };
};

keepsItsContract('InMemoryPresenceStore', presenceStoreContract, () => createOn(new InMemoryMessageBus()));

canBeBroken(presenceStoreContract, {
  'tells the node and the topic once that a user has joined': publishing((envelope, publish) => {
    publish(envelope);
    if (envelope.content.kind === 'joined') publish(envelope);
  }),
  'tells the node and the topic once that a user has left, with the info of the last set': telling(
    (changed) => (topic, change) => changed(topic, change.kind === 'left' ? { ...change, info: 'first' } : change),
  ),
  'tells nobody when a user is set again': hearing((set, real) => (topic, member) => {
    void real.remove(topic, member.userId);
    return set(topic, member);
  }),
  'tells nobody when nobody is removed': twin((real) => ({
    remove(topic, userId) {
      void real.set(topic, { userId, connections: 1 });
      return real.remove(topic, userId);
    },
  })),
  'tells joins and leaves in their order': telling((changed) => {
    let count = 0;
    return (topic, change) => changed(topic, { ...change, kind: count++ === 4 ? 'left' : change.kind });
  }),
  'tells the node and the topic once that another info is shown': hearing(
    (set) => (topic, member) => set(topic, member.connections > 1 ? { ...member, info: 'third' } : member),
  ),
  'shows the info that is set of a user, and says whether the user is there': twin((real) => ({
    async update(...args) {
      await real.update(...args);
      return true;
    },
  })),
  'shows what was set until a newer info is said, and not for a user who comes back': twin((real) => ({
    async update(topic, userId, info) {
      await real.set(topic, { userId, connections: 2, info });
      return true;
    },
  })),
  'sees in what it reads all that was said before, waited for or not': twin((real) => ({
    async set(topic, member) {
      await new Promise(setImmediate);
      return real.set(topic, member);
    },
  })),
  'gives a picture of all users, or none when there are too many': twin((real) => ({
    picture: (topic) => real.picture(topic, Infinity),
  })),
  'chains each change to the one before it, where a change can be lost': publishing((envelope, publish) => {
    const at = { epoch: 'e', sequence: 1, previous: 1 };
    publish({ ...envelope, content: { ...envelope.content, at } as PresenceNews });
  }),
  'reads who is in a topic': twin((real) => ({
    read: async (topic, limit) => ({ ...(await real.read(topic, limit)), connectionCount: 2 }),
  })),
  'reads that nobody is in a topic': twin(() => ({ remove: () => {} })),
  'reads what was set last, and an info that was left out as it was': hearing((set) => {
    const known = new Set<string>();
    return (topic, member) => {
      if (known.has(`${topic} ${member.userId}`)) return;
      known.add(`${topic} ${member.userId}`);
      return set(topic, member);
    };
  }),
  'keeps a user without connections until it is removed': hearing(
    (set, real) => (topic, member) =>
      member.connections === 0 ? real.remove(topic, member.userId) : set(topic, member),
  ),
  'lists no more than it is asked for, and counts all': twin((real) => ({
    async read(topic, limit) {
      const { users } = await real.read(topic, limit);
      return { topic, users, userCount: users.length, connectionCount: users.length * 2 };
    },
  })),
  'keeps many users in many topics apart': twin((real) => {
    const rooms = new Set<string>();
    return {
      set: (topic, member) => real.set(topic, (rooms.add(topic), member)),
      remove: (_topic, userId) => rooms.forEach((topic) => void real.remove(topic, userId)),
    };
  }),
  'tells of each of many users who come at the same time, once': telling((changed) => {
    let count = 0;
    return (topic, change) => {
      if (count++ !== 250) changed(topic, change);
    };
  }),
  'holds to the last of many calls that are not waited for': twin((real) => ({
    async remove(topic, userId) {
      await Promise.resolve();
      return real.remove(topic, userId);
    },
  })),
  'carries user ids and info of any kind unchanged': hearing(
    (set) => (topic, member) => set(topic, { ...member, userId: member.userId.trim() || 'nobody' }),
  ),
  'has a place for topics that are the package’s own': hearing(
    (set) => (topic, member) => (topic.startsWith('#') ? undefined : set(topic, member)),
  ),
  'tells nobody of those who are there when it is closed': twin((real) => {
    const there: (readonly [string, string])[] = [];
    return {
      set: (topic, member) => real.set(topic, (there.push([topic, member.userId]), member)),
      close: () => there.forEach((each) => void real.remove(...each)),
    };
  }),
});
