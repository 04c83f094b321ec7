import { SafeLogger } from '../../errors/safe-logger.js';
import cluster from 'node:cluster';
import { localReport, type DeliveryReport } from '../../core/routing/delivery-report.js';
import type { Envelope } from '../../core/routing/envelope.js';
import type { NodeQueryResult, NodeQuery } from '../../core/bus/node-query.js';
import { busClosed } from '../../errors/bus-closed.js';
import {
  MessageBus,
  type EnvelopeReceiver,
  type MessageBusNode,
  type QueryResponder,
} from '../../ports/message-bus.js';
import { siblingProcesses } from './sibling-processes.js';

const logger = new SafeLogger('RealtimeModule');

function severalProcesses(manager: string): string {
  return (
    `This process was started by ${manager}, and the backend is in memory: what one process sends does not reach the ` +
    "clients of the others. Use RealtimeModule.forRoot({ backend: redisBackend({ … }) }) from 'nestjs-realtime/redis', or " +
    'run one process.'
  );
}

/**
 * A bus with a single node: it delivers an envelope synchronously, in the call that publishes it.
 *
 * It is as strict as a bus between machines: an envelope to a subject that was not joined reaches nobody, so that a
 * missing join is found without a second node. Before `open` a publish
 * has no recipients; after `close` it rejects.
 */
export class InMemoryMessageBus extends MessageBus {
  readonly #joined = new Set<string>();
  #isClosed = false;
  #receive: EnvelopeReceiver | undefined;
  #respond: QueryResponder | undefined;

  get isAttached(): boolean {
    return this.#receive !== undefined;
  }

  open({ receive, respond }: MessageBusNode): void {
    const manager = siblingProcesses(process.env, cluster.isWorker);
    if (manager !== undefined) logger.warn(severalProcesses(manager));
    this.#isClosed = false;
    this.#receive = receive;
    this.#respond = respond;
  }

  join(subject: string): void {
    this.#joined.add(subject);
  }

  leave(subject: string): void {
    this.#joined.delete(subject);
  }

  publish(subject: string, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
    if (this.#isClosed) return Promise.reject(busClosed());
    if (this.#receive === undefined || !this.#joined.has(subject)) return localReport(0);
    let dropped = 0;
    const reached = this.#receive(envelope, false, (connections) => void (dropped = connections));
    return typeof reached === 'number'
      ? localReport(reached, dropped)
      : reached.then((recipients) => localReport(recipients, dropped));
  }

  ask<Q extends NodeQuery>(
    subject: string,
    query: Q,
  ): readonly NodeQueryResult<Q>[] | Promise<readonly NodeQueryResult<Q>[]> {
    if (this.#isClosed) return Promise.reject(busClosed());
    return this.#respond && this.#joined.has(subject) ? this.#respond(query) : [];
  }

  close(): void {
    this.#isClosed = true;
    this.#receive = undefined;
    this.#respond = undefined;
    this.#joined.clear();
  }
}
