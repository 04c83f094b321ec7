import { randomUUID } from 'node:crypto';
import { sameAddress, topic, type Address } from '../../core/routing/address.js';
import type { Envelope, EnvelopeContent } from '../../core/routing/envelope.js';
import type { DeliveryReport } from '../../core/routing/delivery-report.js';
import { subjectOf } from '../../core/bus/subject.js';
import type { NodeQueryResult, NodeQuery } from '../../core/bus/node-query.js';
import type { MessageBus, QueryResponder } from '../../ports/message-bus.js';
import { EnvelopeInbox } from './envelope-inbox.js';

/** A node with one bus, on subjects that no other test uses. */
export class BusNode {
  readonly inbox: EnvelopeInbox;
  /** What this node says when it is asked. */
  results: readonly NodeQueryResult[] = [];
  /** What this node was asked. */
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
   * Opens a bus, hands it over and closes it.
   * @param reached how many connections this node says that each envelope reached
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

  /** Publishes to one address; a report is asked for unless `report` says otherwise. */
  async publish(to: Address, content = message(to, 'hello'), report = true): Promise<DeliveryReport> {
    return this.bus.publish(subject(to), content, { report });
  }

  /**
   * What has arrived once something published now has come back. Nothing that a bus loses or delays is visible at
   * once, so an empty answer shows that nothing came, not that nothing will.
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

/** A topic that nobody else publishes to. */
export function uniqueTopic(): Address {
  return topic(`contract:${randomUUID()}`);
}

/** The subject of an address that has one. */
export function subject(address: Address): string {
  return subjectOf(address)!;
}

/** An envelope for one address. */
export function envelope(to: Address, content: EnvelopeContent): Envelope {
  return { to: [to], except: [], content };
}

/** An envelope with a message. */
export function message(to: Address, payload: unknown): Envelope {
  const text = JSON.stringify({ type: 'contract', payload, timestamp: '2026-01-31T12:00:00.000Z' });
  return envelope(to, { kind: 'message', text });
}
