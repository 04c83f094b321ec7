import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { Envelope } from '../core/routing/envelope.js';
import type { NodeQueryResult, NodeQuery } from '../core/bus/node-query.js';

/** Options of one envelope. */
export interface BusPublishOptions {
  /**
   * `false`: do not wait for the delivery reports of other nodes. The report then covers only this node, and is `complete`
   * only if the envelope reached no other node.
   */
  readonly report: boolean;
}

/** Options of one query. */
export interface BusAskOptions {
  /** `true`: resolve with the results of the nodes that answered in time, whether or not others did. */
  readonly partial?: boolean;
}

/**
 * Hands an envelope to this node's connections and returns how many it reached, as a promise for an order that takes effect
 * later, and for a message that many connections get in slices. The envelope itself is taken at once. Neither throws nor rejects.
 * @param isRemote true if another node has sent it; such deliveries are traced
 * @param leftOut called before the result is known, with the number of connections for which a message was left out because they
 *   could not take it; not called if there are none. It is for `dropped` of the report
 */
export type EnvelopeReceiver = (
  envelope: Envelope,
  isRemote?: boolean,
  leftOut?: (connections: number) => void,
) => number | Promise<number>;

/** Answers a query about this node's connections. Never throws. */
export type QueryResponder = <Q extends NodeQuery>(query: Q) => readonly NodeQueryResult<Q>[];

/** The node that opens a bus: its name, and what the bus calls. */
export interface MessageBusNode {
  /** 1 to 64 letters, digits, `_` or `-`; new with each start of an application. */
  readonly id: string;
  /** Receives arriving envelopes. */
  readonly receive: EnvelopeReceiver;
  /** Answers the queries of other nodes. */
  readonly respond: QueryResponder;
  /** Called whenever this node is attached again: messages published in the meantime may not have arrived. */
  readonly missed?: () => void;
  /** Called when a probe of this node has come back over the bus, with the time that it took in milliseconds. */
  readonly roundTrip?: (ms: number) => void;
}

const NO_REFUSALS: ReadonlyMap<string, number> = new Map();

/**
 * Carries envelopes between nodes. A node receives the envelopes of the subjects it has joined, its own envelopes included.
 *
 * **Promised by an implementation:** after `join` has settled, every envelope published to that subject afterwards, on
 * any node, reaches this node at most once. Envelopes published to one subject by one node arrive in that order. An
 * envelope whose subject no node has joined is no error: it has no recipients. `publish` and `ask` may return at once,
 * without a promise, if there is nothing to wait for. Nothing is stored to be sent later, and nothing is sent twice.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way. `join` and `leave` are not counted: the
 * caller leaves once, however often it has joined.
 *
 * **Attachment:** `isAttached` is true while this node can be reached. While it is not attached, this node's connections are
 * still served, and no report on any node is `complete`. A bus attaches itself again, and then rejoins the joined subjects.
 *
 * **Errors:** `join` rejects with `UNAVAILABLE` when the subject is not active in time; the bus keeps retrying until
 * the subject is left, and joining again waits again. `publish` rejects with `UNAVAILABLE` only when an order (not a
 * message) could not be carried to other nodes; on this node it was executed. It rejects with `LIMIT_EXCEEDED` when
 * an envelope is larger than the bus can carry. `ask` rejects with `UNAVAILABLE` when not every node has answered, unless
 * it is `partial`.
 *
 * **Closing:** the module opens it once before the first connection and closes it after the last. From then on `publish` and
 * `ask` reject with `UNAVAILABLE`: a node that has left can report nothing. It closes only what it
 * opened itself.
 *
 * **Not promised:** delivery to a node that is away, and any order across subjects.
 */
export abstract class MessageBus {
  /** True while the publications of every node reach this node. */
  abstract readonly isAttached: boolean;
  /** The number of commands that a reachable server has refused, by the kind of the refusal. Default: none. */
  get refusals(): ReadonlyMap<string, number> {
    return NO_REFUSALS;
  }
  /** Starts receiving. The caller joins the node's own subjects. */
  abstract open(node: MessageBusNode): void | Promise<void>;
  /** Starts receiving the envelopes of a subject. Settles once the subscription is active; returns nothing when it already is. */
  abstract join(subject: string): void | Promise<void>;
  /** Stops receiving the envelopes of a subject; envelopes in flight may still arrive. */
  abstract leave(subject: string): void | Promise<void>;
  /**
   * Publishes an envelope to every node that has joined the subject.
   * @param subject the destination; see `subjectOfAll` in `core`
   */
  abstract publish(
    subject: string,
    envelope: Envelope,
    options: BusPublishOptions,
  ): DeliveryReport | Promise<DeliveryReport>;
  /**
   * Sends a query to every node that has joined the subject.
   * @returns the results, node by node
   */
  abstract ask<Q extends NodeQuery>(
    subject: string,
    query: Q,
    options?: BusAskOptions,
  ): readonly NodeQueryResult<Q>[] | Promise<readonly NodeQueryResult<Q>[]>;
  /** Stops receiving, and releases the resources that `open` acquired. */
  abstract close(): void | Promise<void>;
}
