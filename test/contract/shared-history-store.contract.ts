import type { Envelope } from '../../lib/core/routing/envelope.js';
import type { HistoryStore } from '../../lib/ports/history-store.js';
import { sharedHistoryStoreContract, type HistoryStoreSetup } from '../../lib/testing/contracts/index.js';
import { Hub, HubBus, HubHistoryStore } from './hub.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

const createOn = (hub: Hub, bus = new HubBus(hub)): HistoryStoreSetup => ({
  history: new HubHistoryStore(hub, bus),
  bus,
  elapse: () => {},
});

/** Stores that share a hub of their own. */
const twin = (change: (real: HistoryStore) => Partial<HistoryStore>) => {
  const hub = new Hub();
  return () => {
    const setup = createOn(hub);
    return { ...setup, history: twinOf(() => setup.history, change)() };
  };
};

/** Stores whose nodes reach each other, and which count and remember each for itself. */
const apart = () => {
  const hub = new Hub();
  return () => {
    const bus = new HubBus(hub);
    return { ...createOn(new Hub(), bus), bus };
  };
};

/** The second node gets publications two by two, the second one first. */
const swapping = () => {
  const hub = new Hub();
  let index = 0;
  return () => {
    const bus = new HubBus(hub);
    if (index++ === 0) return createOn(hub, bus);
    let heldBack: Envelope | undefined;
    const second = twinOf(
      () => bus,
      () => ({
        open(node) {
          bus.open({
            ...node,
            receive: (envelope) => {
              if (heldBack === undefined) {
                heldBack = envelope;
                return 2;
              }
              void node.receive(envelope);
              const reached = node.receive(heldBack);
              heldBack = undefined;
              return reached;
            },
          });
        },
      }),
    )();
    return { ...createOn(hub, bus), bus: second };
  };
};

const hub = new Hub();
keepsItsContract('HubHistoryStore', sharedHistoryStoreContract, () => createOn(hub));

canBeBroken(sharedHistoryStoreContract, {
  'finds on one node what was published on another': apart(),
  'counts without a hole what several nodes publish at the same time': apart(),
  'has one epoch for nodes that ask for the first time together': apart(),
  'hands what several nodes publish to all of them, in the order of the offsets': swapping(),
  'reports what all nodes have reached': twin((real) => ({
    publish: async (topic, text, retention) => ({
      ...(await real.publish(topic, text, retention, { report: false })),
      complete: true,
    }),
  })),
  'knows only the node that publishes when no report is asked for': twin((real) => ({
    publish: (topic, text, retention) => real.publish(topic, text, retention, { report: true }),
  })),
  'publishes once what another node publishes again with the same key': apart(),
});
