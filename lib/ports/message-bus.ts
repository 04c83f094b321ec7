import type { DeliveryReport } from '../core/routing/delivery-report.js';
import type { Envelope } from '../core/routing/envelope.js';
import type { NodeQueryResult, NodeQuery } from '../core/bus/node-query.js';

/** How one envelope is to be sent. */
export interface PublishOptions {
  /**
   * `false`: do not ask other nodes what they delivered. The report then knows only this node, and is `complete` only
   * when the envelope reached no other.
   */
  readonly report: boolean;
}

/**
 * Hands an envelope to this node's connections; returns how many it reached. It is taken at once; a promise is returned for
 * an order that is in force only later. Neither throws nor rejects.
 */
export type EnvelopeReceiver = (envelope: Envelope) => number | Promise<number>;

/** Answers a question about this node's connections. Never throws. */
export type QuestionResponder = <Q extends NodeQuery>(question: Q) => readonly NodeQueryResult<Q>[];

/**
 * Carries envelopes between nodes. A node gets what is published to the subjects it has joined, its own envelopes included.
 *
 * **Promised by an implementation:** after `join` has settled, every envelope published to that subject afterwards, on
 * any node, reaches this node at most once. Envelopes published to one subject by one node arrive in that order. An
 * envelope whose subject nobody has joined is no error: it has no recipients. `publish` and `ask` may answer at once,
 * without a promise, when nothing has to be waited for. Nothing is kept to be sent later, and nothing is sent twice.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way. `join` and `leave` are not counted: the
 * caller leaves once, however often it has joined.
 *
 * **Attachment:** `isAttached` says whether this node can be reached now. While it is not, this node's connections are
 * served all the same, and no report on any node is `complete`. A bus attaches itself again, and joins again what was
 * joined.
 *
 * **Errors:** `join` rejects with `UNAVAILABLE` when the subject is not in force in time; the bus goes on trying until
 * the subject is left, and joining again waits again. `publish` rejects with `UNAVAILABLE` only when an order (not a
 * message) could not be carried to other nodes; on this node it was carried out. It rejects with `LIMIT_EXCEEDED` when
 * an envelope is larger than the bus can carry. `ask` rejects with `UNAVAILABLE` when not every node has answered.
 *
 * **Closing:** the module opens it once before the first connection and closes it after the last. It closes only what it
 * opened itself.
 *
 * **Not promised:** delivery to a node that is away, and any order across subjects.
 */
export abstract class MessageBus {
  /** True while this node is reached by what any node publishes. */
  abstract readonly isAttached: boolean;
  /**
   * Starts receiving.
   * @param nodeId names this node; its own subjects are joined by the caller
   * @param receive takes what arrives
   * @param respond answers what is asked
   * @param missed called whenever this node is attached again: what was published meanwhile may not have arrived here
   */
  abstract open(
    nodeId: string,
    receive: EnvelopeReceiver,
    respond: QuestionResponder,
    missed?: () => void,
  ): void | Promise<void>;
  /** Starts getting what is published to a subject. Settled when it is in force; at once when it is already. */
  abstract join(subject: string): void | Promise<void>;
  /** Stops getting what is published to a subject; what is under way may still arrive. */
  abstract leave(subject: string): void | Promise<void>;
  /**
   * Hands an envelope to every node that has joined the subject.
   * @param subject where the envelope goes; see `subjectOfAll` in `core`
   */
  abstract publish(
    subject: string,
    envelope: Envelope,
    options: PublishOptions,
  ): DeliveryReport | Promise<DeliveryReport>;
  /**
   * Asks every node that has joined the subject.
   * @returns what they have found, node by node
   */
  abstract ask<Q extends NodeQuery>(
    subject: string,
    question: Q,
  ): readonly NodeQueryResult<Q>[] | Promise<readonly NodeQueryResult<Q>[]>;
  /** Stops receiving, and lets go of what `open` took. */
  abstract close(): void | Promise<void>;
}
