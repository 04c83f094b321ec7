import type { Envelope } from '../../lib/core/routing/envelope.js';
import type { EnvelopeReceiver, MessageBus } from '../../lib/ports/message-bus.js';
import { sharedMessageBusContract } from '../../lib/testing/contracts/index.js';
import { Hub, HubBus } from './hub.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

/** Buses that share a hub of their own; `change` is told how many there were before. */
const twin = (change: (real: HubBus, index: number, hub: Hub) => Partial<MessageBus>) => {
  const hub = new Hub();
  let index = 0;
  return twinOf<MessageBus>(
    () => new HubBus(hub),
    (real) => change(real as HubBus, index++, hub),
  );
};

/** The second node does something else with what arrives. */
const receiving = (change: (receive: EnvelopeReceiver) => EnvelopeReceiver) =>
  twin((real, index) => ({
    open: (node) => real.open(index === 1 ? { ...node, receive: change(node.receive) } : node),
  }));

/** The second node gets the first envelope after the second. */
const overtaking = () =>
  receiving((receive) => {
    let heldBack: Envelope | undefined;
    let isOver = false;
    return (envelope) => {
      if (!isOver && heldBack === undefined) {
        heldBack = envelope;
        return 2;
      }
      const reached = receive(envelope);
      if (!isOver) void receive(heldBack!);
      isOver = true;
      return reached;
    };
  });

const hub = new Hub();
keepsItsContract('HubBus', sharedMessageBusContract, () => new HubBus(hub));

canBeBroken(sharedMessageBusContract, {
  'delivers to every node that has joined the subject': receiving(() => () => 2),
  'delivers each envelope once to each node': receiving((receive) => (each) => receive(each) && receive(each)),
  'delivers nothing to a node that has not joined the subject': twin((_real, _index, { buses }) => ({
    join: (subject) => buses.forEach(({ joined }) => joined.add(subject)),
  })),
  'delivers nothing to a node that has left the subject': twin(() => ({ leave: () => {} })),
  'reports the connections that all nodes reached, and how many nodes reached them': twin((real) => ({
    publish: async (subject, envelope) => ({
      ...(await real.publish(subject, envelope, { report: false })),
      complete: true,
    }),
  })),
  'reports what another node has reached': twin((real) => ({
    publish: async (subject, envelope) => ({
      ...(await real.publish(subject, envelope, { report: false })),
      complete: true,
    }),
  })),
  'reports all of many envelopes that are published at the same time': twin((real) => {
    let published = 0;
    return { publish: async (...args) => ({ ...(await real.publish(...args)), complete: ++published !== 150 }) };
  }),
  'does not wait for a node that has left the subject': twin(() => ({ leave: () => {} })),
  'does not wait for a node that has closed': twin((_real, index) => (index === 1 ? { close: () => {} } : {})),
  'knows only the node that publishes when no report is asked for': twin((real) => ({
    publish: (subject, envelope) => real.publish(subject, envelope, { report: true }),
  })),
  'knows that no other node was reached, though no report is asked for': twin((real) => ({
    publish: async (...args) => ({ ...(await real.publish(...args)), complete: args[2].report }),
  })),
  'keeps the order of what one node publishes to a subject': overtaking(),
  'delivers what several nodes publish to a subject in one order to all': overtaking(),
  'waits for a node whose orders take effect later': receiving((receive) => (envelope) => {
    void receive(envelope);
    return 0;
  }),
  'asks every node that has joined the subject': twin((real) => ({
    ask: (_subject, query) => real.respond(query),
  })),
  'asks no node that has not joined the subject': twin((_real, _index, { buses }) => ({
    ask: (_subject, query) => [...buses].flatMap(({ respond }) => respond(query)),
  })),
  'carries connections that were found unchanged': twin((real) => ({
    ask: async (subject, query) => JSON.parse(JSON.stringify(await real.ask(subject, query))) as never,
  })),
  'carries the snapshots of nodes unchanged': twin((real) => ({
    ask: async (subject, query) =>
      (await real.ask(subject, query)).map((found) => ({ ...(found as object), tail: [] })) as never,
  })),
  'brings more than one message could hold': twin((real) => ({
    ask: async (subject, query) => (await real.ask(subject, query)).slice(0, 1_000),
  })),
});
