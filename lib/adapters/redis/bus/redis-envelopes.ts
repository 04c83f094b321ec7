import type { BusFrame } from '../../../core/bus/bus-frame.js';
import { isKeptOrder } from '../../../core/bus/kept-order.js';
import { localReport, type DeliveryReport } from '../../../core/routing/delivery-report.js';
import type { Envelope } from '../../../core/routing/envelope.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import type { EnvelopeReceiver } from '../../../ports/message-bus.js';
import { PendingEchoes } from './pending-echoes.js';
import type { MissedOrders } from './missed-orders.js';
import { publishOrderScript } from './order-scripts.js';
import type { Handed, PublicationReports } from './publication-reports.js';
import type { RedisAnswers } from './redis-answers.js';
import type { RedisChannel, RedisChannels } from '../connection/redis-channels.js';
import { tooLarge, type RedisTransport } from '../connection/redis-transport.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';

/** An envelope's frame. */
type EnvelopeFrame = Extract<BusFrame, { kind: 'envelope' }>;

/** An envelope that is about to be published. */
interface Outgoing {
  readonly channel: RedisChannel;
  readonly sequence: number;
  readonly text: string;
  readonly envelope: Envelope;
  /** True if this node is one of its receivers. */
  readonly isJoined: boolean;
  readonly report: boolean;
}

/**
 * Sends envelopes over Redis, and passes arriving envelopes to this node. This node's own envelopes come back from Redis like
 * all others, so that all nodes see one order. An envelope that does not come back, because Redis is away or the connection
 * is lost, is served directly, and is not served again if it comes back late.
 */
export class RedisEnvelopes {
  readonly #own = new PendingEchoes();
  #receive: EnvelopeReceiver | undefined;

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly subscriptions: RedisSubscriptions,
    private readonly answers: RedisAnswers,
    private readonly reports: PublicationReports,
    private readonly orders: MissedOrders,
  ) {}

  open(receive: EnvelopeReceiver): void {
    this.#receive = receive;
  }

  close(): void {
    this.#receive = undefined;
  }

  publish(channel: RedisChannel, envelope: Envelope, report: boolean): DeliveryReport | Promise<DeliveryReport> {
    const isJoined = this.subscriptions.isJoined(channel.name);
    const { sequence, origin } = this.transport.next();
    const text = this.transport.textOf(channel, { kind: 'envelope', origin, sequence, envelope, wantsReport: report });
    if (text === undefined) return Promise.reject(tooLarge(this.transport.maxBytes));
    const server = this.network.serverOf(channel.partition);
    const outgoing = { channel, sequence, text, envelope, isJoined, report };
    return server?.commands.isUp ? this.#publishThere(server, outgoing) : this.#publishHere(outgoing);
  }

  /** Delivers an envelope to this node only. */
  publishToSelf(channel: RedisChannel, envelope: Envelope): DeliveryReport | Promise<DeliveryReport> {
    if (!this.subscriptions.isJoined(channel.name)) return localReport(0);
    return this.#receiveHere(envelope, localReport);
  }

  /**
   * Handles an envelope that has arrived.
   * @param isJoined false if this node is not joined to its subject, or no longer
   * @param isHearing false if this node does not receive from the server yet
   */
  take(frame: EnvelopeFrame, isJoined: boolean, isHearing: boolean): void {
    const { origin, sequence, envelope, wantsReport } = frame;
    const isOwn = this.transport.isOwn(origin);
    if (isOwn) this.#own.arrived(sequence);
    const isKept = isKeptOrder(envelope.content);
    // An order is executed as soon as it arrives, so that none is lost between the catch-up and live reception.
    if (isJoined && !isOwn && !(isKept ? this.orders.begin(origin, sequence) : isHearing)) {
      if (wantsReport) this.answers.decline(frame);
      return;
    }
    const answer = (recipients: number, dropped: number): void => {
      if (isOwn) this.answers.served(sequence, recipients, dropped);
      else if (wantsReport) this.answers.report(origin, sequence, recipients, dropped);
    };
    if (isJoined && (isHearing || (isKept && !isOwn))) this.#deliver(envelope, answer, !isOwn);
    else answer(0, 0);
  }

  /** Delivers the envelopes that should have come back from Redis, in their order. */
  serveOwn(partition: number, upTo?: number): void {
    for (const [sequence, envelope] of this.#own.take(partition, upTo)) {
      this.transport.skip(partition, sequence);
      this.#deliver(envelope, (recipients, dropped) => this.answers.served(sequence, recipients, dropped));
    }
  }

  tick(): void {
    const overdue = this.#own.tick();
    if (overdue) this.#suspect(...overdue);
  }

  #publishThere(server: RedisServer, outgoing: Outgoing): Promise<DeliveryReport> {
    const { channel, sequence, text, envelope, isJoined, report } = outgoing;
    const isServedHere = isJoined && server.isDeaf;
    const isOwn = isServedHere || this.subscriptions.isActive(channel.name);
    const publication = { channel, sequence, wantsReport: report, isOwn, isServedHere };
    let why: unknown;
    return new Promise((resolve, reject) => {
      this.reports.open(server, publication, (delivered, isCarried) => {
        if (!isCarried && envelope.content.kind !== 'message') reject(notCarried(why));
        else resolve(delivered);
      });
      if (isOwn) this.#own.add(sequence, channel, envelope);
      if (isServedHere) this.serveOwn(channel.partition, sequence);
      const handed = (handing: Handed): void => {
        this.#own.sent(sequence);
        this.reports.handed(server, publication, handing);
      };
      const failed = (error: unknown): void => {
        why = error;
        this.serveOwn(channel.partition, sequence);
        this.reports.fail(publication);
      };
      if (isKeptOrder(envelope.content)) this.#sendOrder(server, channel, text).then(handed, failed);
      else this.transport.send(channel, text, (count) => handed({ count, server }), failed);
    });
  }

  /** Publishes an order, and stores it for nodes that are cut off. */
  async #sendOrder(server: RedisServer, channel: RedisChannel, text: string): Promise<Handed> {
    const { name, partition } = channel;
    let isAheadOfNodes = false;
    let executing: RedisServer | undefined;
    let attempts = 0;
    try {
      const running = this.network.run(publishOrderScript, {
        partition,
        keys: [this.channels.ordersOf(partition)],
        argsFor: (owner, isAhead) => {
          executing = owner;
          isAheadOfNodes = isAhead;
          return [owner.isSharded ? 'SPUBLISH' : 'PUBLISH', name, text];
        },
        sent: () => void (attempts += 1),
      });
      // As for a publication, it may be published after the check.
      const isAtOnce = attempts === 1;
      const [count, refusal] = (await running) as [number, string];
      if (refusal !== '') this.network.refusals.note(refusal);
      const isKept = refusal === '';
      if (!isAheadOfNodes) return { count, server: executing, isSure: isKept, isLate: !isAtOnce || attempts > 1 };
      const nodesAt = this.network.serverOf(partition);
      const relayed = await this.transport.relay(channel, text);
      const isSure = isKept && relayed !== undefined;
      return { count: count + (relayed ?? 0), server: nodesAt, isSure, isLate: true };
    } catch (error) {
      this.network.mistrust(server, error);
      throw error;
    }
  }

  /** Publishes while Redis is away: delivers a message locally; executes an order locally, and reports to its sender that this was not complete. */
  #publishHere({ channel, envelope, isJoined }: Outgoing): DeliveryReport | Promise<DeliveryReport> {
    this.serveOwn(channel.partition);
    const reportOf = (recipients: number, dropped: number) => ({
      ...localReport(recipients, dropped),
      complete: false,
    });
    const report = isJoined ? this.#receiveHere(envelope, reportOf) : reportOf(0, 0);
    return envelope.content.kind === 'message' ? report : Promise.reject(notCarried());
  }

  /** Delivers an envelope of this node, without the way over Redis. */
  #receiveHere(
    envelope: Envelope,
    reportOf: (recipients: number, dropped: number) => DeliveryReport,
  ): DeliveryReport | Promise<DeliveryReport> {
    let dropped = 0;
    const reached = this.#receive!(envelope, false, (connections) => void (dropped = connections));
    return typeof reached === 'number'
      ? reportOf(reached, dropped)
      : reached.then((recipients) => reportOf(recipients, dropped));
  }

  /**
   * @param answer receives the number of connections reached, and of those that it was left out for, at once or once an order
   *   has taken effect
   */
  #deliver(envelope: Envelope, answer: (recipients: number, dropped: number) => void, isRemote = false): void {
    let dropped = 0;
    const reached = this.#receive?.(envelope, isRemote, (connections) => void (dropped = connections)) ?? 0;
    if (typeof reached === 'number') answer(reached, dropped);
    else void reached.then((recipients) => answer(recipients, dropped));
  }

  /** Gives up the subscribing connection over which an envelope did not come back, unless this node has left its channel meanwhile. */
  #suspect(sequence: number, channel: RedisChannel): void {
    if (!this.subscriptions.isActive(channel.name)) return this.#own.arrived(sequence);
    this.network.serverOf(channel.partition)?.subscriber.restart('published messages do not come back');
  }
}

function notCarried(cause?: unknown): RealtimeError {
  const why = cause instanceof Error ? cause.message : 'Redis cannot be reached at the moment.';
  return new RealtimeError('UNAVAILABLE', `The order did not reach other nodes. ${why}`, { cause });
}
