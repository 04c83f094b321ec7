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
  /** True if every node that receives it answers. */
  readonly wantsReport: boolean;
  /** True if this node expects it back from Redis. */
  readonly isOwn: boolean;
  /** True if this node has delivered it locally, because nothing comes back from Redis at the moment. */
  readonly isServedHere?: boolean;
}

/** The execution of an envelope by Redis. */
export interface Handed {
  /** The number of nodes that received it, according to Redis. */
  readonly count: number;
  /** The server where they are subscribed: another one than at first if the slot has moved. */
  readonly server: RedisServer | undefined;
  /** True if it may have been published to them after the check of who is subscribed. Default: false. */
  readonly isLate?: boolean;
  /** False if it may not have been published to them, or, for an order, was not stored for nodes that are cut off. Default: true. */
  readonly isSure?: boolean;
}

/** Receives the report; `isCarried` is false if Redis has not confirmed the envelope. */
export type ReportTaker = (report: DeliveryReport, isCarried: boolean) => void;

/** Builds the delivery reports of this node's publications, from the number of nodes that received them and from their answers. */
export class PublicationReports {
  constructor(
    private readonly answers: RedisAnswers,
    private readonly subscriptions: RedisSubscriptions,
  ) {}

  /** Called right before it is published: other nodes may answer before Redis does. */
  open(server: RedisServer, { channel, sequence }: OutgoingEnvelope, settle: ReportTaker): void {
    this.answers.open(server, channel, sequence, settle);
  }

  /**
   * Records that Redis has executed it.
   * @param server the server that was asked who is subscribed
   */
  handed(
    server: RedisServer,
    envelope: OutgoingEnvelope,
    { count, isSure = true, isLate = false, ...handed }: Handed,
  ): void {
    const { channel, sequence, wantsReport, isOwn, isServedHere = false } = envelope;
    // No node received it, although this node is subscribed.
    if (count === 0 && isOwn && this.subscriptions.isActive(channel.name)) server.subscriber.restart(UNKNOWN_TO_REDIS);
    const reached = isServedHere ? count + 1 : count;
    if (!isSure || handed.server !== server) this.answers.doubt(sequence);
    else if (isLate) this.answers.checkAgain(server, envelope.channel, sequence);
    this.answers.expect(sequence, reached, wantsReport ? reached : Math.min(reached, isOwn ? 1 : 0));
  }

  /** Records a failure: it was not published, or the outcome is unknown. */
  fail({ sequence }: OutgoingEnvelope): void {
    this.answers.fail(sequence);
  }
}
