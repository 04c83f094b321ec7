import { randomUUID } from 'node:crypto';
import { sameAddress, topic, type Address } from '../../core/routing/address.js';
import type { Envelope, EnvelopeContent } from '../../core/routing/envelope.js';
import type { DeliveryReport } from '../../core/routing/delivery-report.js';
import { subjectOf } from '../../core/bus/subject.js';
import type { NodeQueryResult, NodeQuery } from '../../core/bus/node-query.js';
import type { MessageBus, QueryResponder } from '../../ports/message-bus.js';
import { EnvelopeInbox } from './envelope-inbox.js';

/** A node with one bus, on subjects that are unique to the test. */
export class BusNode {
  readonly inbox: EnvelopeInbox;
  /** The results with which this node answers a query. */
  results: readonly NodeQueryResult[] = [];
  /** The queries that this node received. */
  readonly queries: NodeQuery[] = [];
  readonly #respond: QueryResponder = <Q extends NodeQuery>(query: Q) => {
    this.queries.push(query);
    return this.results as readonly NodeQueryResult<Q>[];
  };
  #closed = false;

  private constructor(
    readonly bus: MessageBus,
    reached: number,
  ) {
    this.inbox = new EnvelopeInbox(reached);
  }

  /**
   * Opens a bus, passes it to `use` and closes it.
   * @param reached number of connections that this node reports for each envelope
   */
  static async run(
    create: () => MessageBus | Promise<MessageBus>,
    use: (node: BusNode) => Promise<void>,
    reached = 1,
  ): Promise<void> {
    const node = new BusNode(await create(), reached);
    await node.bus.open({ id: randomUUID(), receive: node.inbox.receive, respond: node.#respond });
    try {
      await use(node);
    } finally {
      await node.close();
    }
  }

  /** Publishes to one address; requests a report unless `report` is false. */
  async publish(to: Address, content = message(to, 'hello'), report = true): Promise<DeliveryReport> {
    return this.bus.publish(subject(to), content, { report });
  }

  /**
   * Returns the envelopes that have arrived by the time an envelope published now has come back. An empty result shows that
   * nothing arrived so far, not that nothing will arrive later.
   */
  async settled(): Promise<readonly Envelope[]> {
    const fence = uniqueTopic();
    const isFence = ({ to }: Envelope) => to[0] !== undefined && sameAddress(to[0], fence);
    await this.bus.join(subject(fence));
    await this.publish(fence);
    await this.inbox.contain(isFence);
    return this.inbox.envelopes.filter((each) => !isFence(each));
  }

  /** Closes the bus, once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.bus.close();
  }
}

/** Returns a topic that is unique to the test. */
export function uniqueTopic(): Address {
  return topic(`contract:${randomUUID()}`);
}

/** Returns the subject of an address that has one. */
export function subject(address: Address): string {
  return subjectOf(address)!;
}

/** Returns an envelope for one address. */
export function envelope(to: Address, content: EnvelopeContent): Envelope {
  return { to: [to], except: [], content };
}

/** Returns an envelope with a message. */
export function message(to: Address, payload: unknown): Envelope {
  const text = JSON.stringify({ type: 'contract', payload, timestamp: '2026-01-31T12:00:00.000Z' });
  return envelope(to, { kind: 'message', text });
}
