import { topic as topicAddress } from '../../lib/core/routing/address.js';
import type { Envelope } from '../../lib/core/routing/envelope.js';
import type { PresenceChange } from '../../lib/core/presence/presence.js';
import type { PresenceNode, PresenceStore } from '../../lib/ports/presence-store.js';
import { sharedPresenceStoreContract, type PresenceSetup } from '../../lib/testing/contracts/index.js';
import { HubPresenceStore } from './hub-presence-store.js';
import { Hub } from './hub.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

/** Stores that share a hub of their own; `change` is told how many there were before. */
const twin = (change: (real: HubPresenceStore, index: number, hub: Hub) => Partial<PresenceStore & PresenceSetup>) => {
  const hub = new Hub();
  let index = 0;
  return (): PresenceSetup => {
    const real = new HubPresenceStore(hub);
    const { crash, ...changes } = change(real, index++, hub);
    return {
      bus: real.bus,
      store: twinOf<PresenceStore>(
        () => real,
        () => changes,
      )(),
      crash: crash ?? real.crash,
    };
  };
};

/** The nodes are told something else. */
const telling = (change: (changed: PresenceNode['changed'], index: number) => PresenceNode['changed']) =>
  twin((real, index) => ({ open: ({ id, changed }) => real.open({ id, changed: change(changed, index) }) }));

/** A store whose nodes know only their own entries. */
const alone = () =>
  twin((real) => {
    const own = new HubPresenceStore(new Hub(), real.bus);
    return {
      open: (node) => own.open(node),
      set: (topic, member) => own.set(topic, member),
      remove: (topic, userId) => own.remove(topic, userId),
      read: (topic, limit) => own.read(topic, limit),
      update: (topic, userId, info) => own.update(topic, userId, info),
    };
  });

const hub = new Hub();
keepsItsContract('HubPresenceStore', sharedPresenceStoreContract, () => {
  const store = new HubPresenceStore(hub);
  return { bus: store.bus, store, crash: store.crash };
});

canBeBroken(sharedPresenceStoreContract, {
  'tells only the first node that a user has joined, and the topic once': telling(
    (changed, index) => (topic, change) => {
      changed(topic, change);
      if (index === 0) changed(topic, change);
    },
  ),
  'tells only the last node that a user has left, and the topic once': twin((real) => ({
    remove(topic, userId) {
      real.remove(topic, userId);
      real.tell(topic, { kind: 'left', userId });
    },
  })),
  'tells one node when several say so at the same time': alone(),
  'tells the topic of all changes in one order on all nodes': twin((real, index) => ({
    set(topic, member) {
      if (index === 1) void real.bus.receive(news(topic, { kind: 'joined', userId: member.userId }));
      return real.set(topic, member);
    },
  })),
  'reads each user once, with the connections on all nodes, on any node': alone(),
  'reads the info that was set last, whoever said so': alone(),
  'shows the newest info of the nodes that have the user': twin((real, index) => ({
    set: (topic, member) => real.set(topic, index === 1 ? { ...member, info: undefined } : member),
  })),
  'shows an info that is set on any node, and tells one of it': alone(),
  'keeps those who move from a node that closes to another': twin((real) => ({ close: () => real.crash() })),
  'waits for those who were on a node that has closed, for the time given': twin((real) => ({
    close: () => real.crash(),
  })),
  'lets those who were on a node that crashes leave, once': twin(() => ({ crash: () => {} })),
  'keeps a user of a node that crashes who is on another': twin((real) => {
    const there: (readonly [topic: string, userId: string])[] = [];
    return {
      set: (topic, member) => real.set(topic, (there.push([topic, member.userId]), member)),
      crash() {
        for (const [topic, userId] of there) real.tell(topic, { kind: 'left', userId });
        real.crash();
      },
    };
  }),
});

function news(topic: string, content: PresenceChange): Envelope {
  return { to: [topicAddress(topic)], except: [], content };
}
