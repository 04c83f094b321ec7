import type { NodeQuery, NodeQueryResult } from '../core/bus/node-query.js';
import { subjectOf, subjectOfAll } from '../core/bus/subject.js';
import { connection, type Address } from '../core/routing/address.js';
import { localReport, type DeliveryReport } from '../core/routing/delivery-report.js';
import type { EnvelopeContent } from '../core/routing/envelope.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { MessageBus } from '../ports/message-bus.js';
import type { NodeLifecycle } from './node-lifecycle.js';

/** Sends messages, orders and queries to the nodes that hold the addressed connections, this node included. */
export class NodeRequests {
  constructor(
    private readonly bus: MessageBus,
    private readonly lifecycle: NodeLifecycle,
  ) {}

  /**
   * Sends content to the nodes that hold the addressed connections.
   * @param report true: wait for the answers of other nodes
   * @param trace the `trace` of the envelope
   * @throws RealtimeError `UNAVAILABLE` before this node runs and after it has been closed
   */
  publish(
    to: readonly Address[],
    except: readonly Address[],
    content: EnvelopeContent,
    report: boolean,
    trace?: string,
  ): DeliveryReport | Promise<DeliveryReport> {
    this.lifecycle.assertRunning();
    const subject = subjectOfAll(to);
    if (to.length === 0 || subject === undefined) return localReport(0);
    return this.bus.publish(subject, trace === undefined ? { to, except, content } : { to, except, content, trace }, {
      report,
    });
  }

  /**
   * Gives an order to the node that holds a connection, and always waits for its answer: "did nothing" and "could not be
   * asked" are different results.
   * @returns true when the order changed something
   * @throws RealtimeError `UNAVAILABLE` when that node did not answer in time
   */
  async order(connectionId: string, content: EnvelopeContent): Promise<boolean> {
    const { recipients, complete } = await this.publish([connection(connectionId)], [], content, true);
    if (recipients === 0 && !complete) {
      throw new RealtimeError('UNAVAILABLE', 'The node that holds the connection did not answer in time.');
    }
    return recipients > 0;
  }

  /**
   * Asks the nodes that hold the addressed connections.
   * @throws RealtimeError `UNAVAILABLE` before this node runs and after it has been closed
   */
  ask<Q extends NodeQuery>(
    address: Address,
    query: Q,
  ): readonly NodeQueryResult<Q>[] | Promise<readonly NodeQueryResult<Q>[]> {
    this.lifecycle.assertRunning();
    const subject = subjectOf(address);
    return subject === undefined ? [] : this.bus.ask(subject, query);
  }
}
