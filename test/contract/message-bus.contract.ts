import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';
import type { Envelope } from '../../lib/core/routing/envelope.js';
import type { EnvelopeReceiver, MessageBus } from '../../lib/ports/message-bus.js';
import { messageBusContract } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

const create = (): MessageBus => new InMemoryMessageBus();
const twin = (change: (real: MessageBus) => Partial<MessageBus>) => twinOf(create, change);

/** A bus that does something else with what arrives. */
const receiving = (change: (receive: EnvelopeReceiver) => EnvelopeReceiver) =>
  twin((real) => ({ open: (node) => real.open({ ...node, receive: change(node.receive) }) }));

/** A bus that changes envelopes on their way. */
const carrying = (change: (envelope: Envelope) => Envelope) => receiving((receive) => (each) => receive(change(each)));

/** A bus that takes subjects for something else. */
const naming = (change: (subject: string) => string) =>
  twin((real) => ({
    join: (subject) => real.join(change(subject)),
    publish: (subject, envelope, options) => real.publish(change(subject), envelope, options),
  }));

/** A bus that holds an envelope back until the next one has been delivered. */
const overtaking = (isHeldBack: (envelope: Envelope) => boolean) =>
  receiving((receive) => {
    let heldBack: Envelope | undefined;
    return (envelope) => {
      if (heldBack === undefined && isHeldBack(envelope)) {
        heldBack = envelope;
        return 1;
      }
      const reached = receive(envelope);
      if (heldBack) void receive(heldBack);
      heldBack = undefined;
      return reached;
    };
  });

keepsItsContract('InMemoryMessageBus', messageBusContract, create);

canBeBroken(messageBusContract, {
  'delivers what is published to a joined subject, to the node that published it too': receiving(() => () => 1),
  'delivers each envelope once': receiving((receive) => (envelope) => receive(envelope) && receive(envelope)),
  'delivers nothing from a subject that was not joined': naming(() => 'everything'),
  'delivers nothing from a subject that was left': twin(() => ({ leave: () => {} })),
  'keeps other subjects joined when one is left': twin((real) => {
    const joined: string[] = [];
    return {
      join(subject) {
        joined.push(subject);
        return real.join(subject);
      },
      leave: () => joined.forEach((subject) => void real.leave(subject)),
    };
  }),
  'delivers from a subject that was left and joined again': twin((real) => {
    const known = new Set<string>();
    return { join: (subject) => (known.has(subject) ? undefined : real.join(known.add(subject) && subject)) };
  }),
  'is joined when a join was called after a leave, settled or not': twin((real) => ({
    async leave(subject) {
      await Promise.resolve();
      await real.leave(subject);
    },
  })),
  'joins many subjects at the same time': twin((real) => {
    let busy = false;
    return {
      async join(subject) {
        if (busy) return;
        busy = true;
        await Promise.resolve();
        await real.join(subject);
        busy = false;
      },
    };
  }),
  'joins a subject of any text': twin((real) => ({
    join: (subject) => (/\s/.test(subject) ? undefined : real.join(subject)),
  })),
  'takes a subject for a name, not for a pattern': naming((subject) => subject.replace(/(?:\*|-1)$/, '')),
  'keeps the order of what is published to a subject': overtaking(() => true),
  'keeps the order of messages and orders among each other': overtaking(({ content }) => content.kind !== 'message'),
  'carries every kind of content unchanged': carrying((envelope) =>
    envelope.content.kind === 'disconnect'
      ? { ...envelope, content: { ...envelope.content, code: 'DISCONNECTED' } }
      : envelope,
  ),
  'carries a long text of any characters unchanged': carrying((envelope) => {
    const { content } = envelope;
    if (content.kind !== 'message') return envelope;
    return { ...envelope, content: { ...content, text: Buffer.from(content.text, 'latin1').toString('latin1') } };
  }),
  'carries addresses and exceptions unchanged': carrying((envelope) => ({ ...envelope, except: [] })),
  'reports the connections that were reached, and the node that reached them': receiving((receive) => (envelope) => {
    void receive(envelope);
    return 1;
  }),
  'does not count a node that reached nobody': twin((real) => ({
    publish: async (...args) => ({ ...(await real.publish(...args)), nodes: 1 }),
  })),
  'reports no recipients, and no error, when nobody has joined the subject': twin((real) => ({
    publish: async (...args) => ({ ...(await real.publish(...args)), complete: false }),
  })),
  'delivers when no report is asked for': twin((real) => ({
    publish: (subject, envelope, options) =>
      options.report ? real.publish(subject, envelope, options) : { recipients: 0, nodes: 0, complete: true },
  })),
  'delivers each envelope once from a subject that was joined again': twin((real) => {
    let joins = 0;
    return {
      join(subject) {
        joins += 1;
        return real.join(subject);
      },
      async publish(...args) {
        for (let i = 1; i < joins; i++) await real.publish(...args);
        return real.publish(...args);
      },
    };
  }),
  'delivers nothing from a subject that was left once, however often it was joined': twin((real) => {
    const joins = new Map<string, number>();
    return {
      join(subject) {
        joins.set(subject, (joins.get(subject) ?? 0) + 1);
        return real.join(subject);
      },
      leave(subject) {
        joins.set(subject, joins.get(subject)! - 1);
        if (joins.get(subject) === 0) return real.leave(subject);
      },
    };
  }),
  'reports an order that takes effect later once it has': receiving((receive) => (envelope) => {
    const reached = receive(envelope);
    return typeof reached === 'number' ? reached : 0;
  }),
  'is attached once it was opened': twin(() => ({ isAttached: false })),
  'is not attached after it was closed': twin(() => ({ isAttached: true })),
  'asks the node itself about a subject that it has joined': twin(() => ({ ask: () => [] })),
  'passes the query on unchanged': twin((real) => ({
    ask: (subject) => real.ask(subject, { kind: 'connections', of: { kind: 'all' } }) as never,
  })),
  'finds nothing, and no error, when nobody has joined the subject': twin((real) => ({
    async ask(subject, query) {
      await real.join(subject);
      return real.ask(subject, query);
    },
  })),
  'delivers nothing after it was closed': twin(() => ({ close: () => {} })),
  'refuses what is published or asked after it was closed': twin(() => ({
    publish: () => ({ recipients: 0, nodes: 0, complete: true }),
  })),
});
