import type { DeliveryReport } from '../core/delivery-report.js';
import type { Envelope } from '../core/envelope.js';

/** How one envelope is to be sent. */
export interface PublishOptions {
  /** `false`: do not ask the nodes what they delivered; the report then knows only this node. */
  readonly report: boolean;
}

/** Hands an envelope to this node's connections; returns how many it reached. Never throws. */
export type EnvelopeReceiver = (envelope: Envelope) => number;

/**
 * Carries envelopes between nodes. A node gets what is published to the subjects it has joined, its own envelopes included.
 *
 * **Promised by an implementation:** after `join` has settled, every envelope published to that subject afterwards, on
 * any node, reaches this node at most once. Envelopes published to one subject by one node arrive in that order. An
 * envelope whose subject nobody has joined is no error: it has no recipients. `publish` may answer at once, without a
 * promise, when nothing has to be waited for.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way. `join` and `leave` are not counted: the
 * caller joins once and leaves once.
 *
 * **Errors:** when other nodes cannot be reached, this node's connections are served all the same and the report is not
 * `complete`. `publish` rejects with `UNAVAILABLE` only when an order (not a message) could not be carried.
 *
 * **Closing:** the module opens it once before the first connection and closes it after the last. It closes only what it
 * opened itself.
 *
 * **Not promised:** delivery to a node that is away, and any order across subjects.
 */
export abstract class MessageBus {
  /** Starts receiving. `nodeId` names this node; its own subjects are joined by the caller. */
  abstract open(nodeId: string, receive: EnvelopeReceiver): void | Promise<void>;
  /** Starts getting what is published to a subject. Settled when it is in force. */
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
  /** Stops receiving, and lets go of what `open` took. */
  abstract close(): void | Promise<void>;
}
