import type { DeliveryReport } from '../../../core/routing/delivery-report.js';
import type { RedisChannel } from '../connection/redis-channels.js';
import type { RedisServer } from '../connection/redis-server.js';
import { UNKNOWN_TO_REDIS } from './probes.js';
import type { RedisAnswers } from './redis-answers.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';

/** An envelope on its way to the nodes, by a command or a script. */
export interface OutgoingEnvelope {
  readonly channel: RedisChannel;
  readonly sequence: number;
  /** True when every node that gets it answers. */
  readonly wantsReport: boolean;
  /** True when this node is to get it back from Redis. */
  readonly isOwn: boolean;
  /** True when this node has served itself, because nothing comes back at the moment. */
  readonly isServedHere?: boolean;
}

/** Told the report; `isCarried` is false when Redis has not confirmed that it has the envelope. */
export type ReportTaker = (report: DeliveryReport, isCarried: boolean) => void;

/** Makes the report of what this node publishes: of how many nodes Redis has handed it to, and what they answer. */
export class PublicationReports {
  constructor(
    private readonly answers: RedisAnswers,
    private readonly subscriptions: RedisSubscriptions,
  ) {}

  /** Called right before it is published: other nodes may answer before Redis does. */
  open(server: RedisServer, { sequence }: OutgoingEnvelope, settle: ReportTaker): void {
    this.answers.open(server, sequence, settle);
  }

  /**
   * Redis has handed it to so many nodes.
   * @param isKept false for an order that Redis did not keep for nodes that are cut off
   */
  handed(server: RedisServer, envelope: OutgoingEnvelope, count: number, isKept = true): void {
    const { channel, sequence, wantsReport, isOwn, isServedHere = false } = envelope;
    // Handed to nobody, though this node listens.
    if (count === 0 && isOwn && this.subscriptions.isActive(channel.name)) server.subscriber.restart(UNKNOWN_TO_REDIS);
    const reached = isServedHere ? count + 1 : count;
    if (!isKept) this.answers.doubt(sequence);
    this.answers.expect(sequence, reached, wantsReport ? reached : Math.min(reached, isOwn ? 1 : 0));
  }

  /** It was not published, or it is not known whether it was. */
  fail({ sequence }: OutgoingEnvelope): void {
    this.answers.fail(sequence);
  }
}
