import { Logger } from '@nestjs/common';
import type { BusFrame } from '../../core/bus-frame.js';
import { isNodeId } from '../../core/connection-id.js';
import { localReport, type DeliveryReport } from '../../core/delivery-report.js';
import type { Envelope } from '../../core/envelope.js';
import type { Finding, Question } from '../../core/question.js';
import { nodeSubject } from '../../core/subject.js';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import {
  MessageBus,
  type EnvelopeReceiver,
  type PublishOptions,
  type QuestionResponder,
} from '../../ports/message-bus.js';
import { AnswerBatch } from './answer-batch.js';
import { fromFindingData, toFindingData } from './finding-data.js';
import { OwnCopies } from './own-copies.js';
import { isAnswered, PendingAnswers, ROLL_CALL_TIMEOUT_MS, type Pending } from './pending-answers.js';
import { Probes, UNKNOWN_TO_REDIS } from './probes.js';
import type { RedisChannel, RedisChannels } from './redis-channels.js';
import { TICK_MS } from './redis-connection.js';
import { RedisLine, type RedisBusStats } from './redis-line.js';
import type { RedisNetwork } from './redis-network.js';
import type { RedisNodeDirectory } from './redis-node-directory.js';
import type { RedisSettings } from './redis-options.js';
import type { RedisServer } from './redis-server.js';
import { RedisSubscriptions } from './redis-subscriptions.js';

/** Most things that were found in one frame. */
const MAX_FINDINGS = 128;

/** An envelope that is about to be published. */
interface Outgoing {
  readonly channel: RedisChannel;
  readonly sequence: number;
  readonly text: string;
  readonly envelope: Envelope;
  /** True when this node is among those that get it. */
  readonly isJoined: boolean;
  readonly report: boolean;
}

/**
 * Carries envelopes over Redis: one channel for each subject, on one server or spread over a Redis Cluster.
 *
 * This node gets its own envelopes from Redis like everybody else, so that there is one order for all. What does not come
 * back, because Redis is away or the connection is lost, is served directly, and not again should it come back late.
 */
export class RedisMessageBus extends MessageBus {
  readonly #logger = new Logger(RedisMessageBus.name);
  readonly #line: RedisLine;
  readonly #subscriptions: RedisSubscriptions;
  readonly #probes: Probes;
  readonly #answers: AnswerBatch;
  readonly #own = new OwnCopies();
  readonly #pending = new PendingAnswers(() => this.#callRoll());
  readonly #live = new Set<RedisServer>();
  #nodeId = '';
  #nodeSubject = '';
  #receive: EnvelopeReceiver | undefined;
  #respond: QuestionResponder = () => [];
  #timer: NodeJS.Timeout | undefined;
  #wasAttached = false;

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly directory: RedisNodeDirectory,
    private readonly settings: RedisSettings,
  ) {
    super();
    this.#line = new RedisLine(network, settings.maxEnvelopeBytes);
    this.#subscriptions = new RedisSubscriptions(network, channels, settings, this.#line.hear);
    this.#probes = new Probes(network, channels, this.#line, settings);
    this.#answers = new AnswerBatch(channels, this.#line);
  }

  get isAttached(): boolean {
    return this.#receive !== undefined && this.network.isAttached;
  }

  get stats(): Readonly<RedisBusStats> {
    return this.#line.stats;
  }

  async open(nodeId: string, receive: EnvelopeReceiver, respond: QuestionResponder): Promise<void> {
    if (!isNodeId(nodeId)) {
      throw new RealtimeConfigurationError('A node’s id must be 1 to 64 letters, digits, _ or -: see IdGenerator');
    }
    this.#nodeId = nodeId;
    this.#nodeSubject = nodeSubject(nodeId);
    this.#receive = receive;
    this.#respond = respond;
    this.#line.open(nodeId, this.#take);
    this.directory.announce = this.#announce;
    const { everybody } = this.channels;
    const probes = this.channels.all().map((partition) => this.channels.probe(nodeId, partition));
    for (const channel of [everybody, this.channels.answersTo(nodeId), ...probes]) {
      this.#subscriptions.join(channel)?.catch(() => undefined);
    }
    this.#timer = setInterval(this.#tick, TICK_MS);
    try {
      await this.network.open({
        restore: async (server) => {
          await this.#subscriptions.restore(server);
          await this.#probes.fence(server);
        },
        changed: this.#changed,
        moved: () => this.network.refresh(),
      });
    } catch (error) {
      const why = reasonOf(error);
      if (!this.settings.requireAtBoot) return this.#logger.warn(`Starting without Redis: ${why}`);
      this.close();
      throw new RealtimeError('UNAVAILABLE', `Redis cannot be reached: ${why}. ${CURE}`, { cause: error });
    }
  }

  join(subject: string): Promise<void> | undefined {
    return this.#subscriptions.join(this.channels.of(subject));
  }

  leave(subject: string): void {
    this.#subscriptions.leave(this.channels.of(subject).name);
  }

  publish(subject: string, envelope: Envelope, { report }: PublishOptions): DeliveryReport | Promise<DeliveryReport> {
    const receive = this.#receive;
    if (receive === undefined) return localReport(0);
    const channel = this.channels.of(subject);
    const isJoined = this.#subscriptions.isJoined(channel.name);
    // Nobody else has joined it.
    if (subject === this.#nodeSubject) {
      const reached = isJoined ? receive(envelope) : 0;
      return typeof reached === 'number' ? localReport(reached) : reached.then(localReport);
    }
    const { sequence, origin } = this.#line.next();
    const text = this.#line.textOf({ kind: 'envelope', origin, sequence, envelope, wantsReport: report });
    if (text === undefined) return Promise.reject(tooLarge(this.settings.maxEnvelopeBytes));
    const server = this.network.serverOf(channel.partition);
    const outgoing = { channel, sequence, text, envelope, isJoined, report };
    return server?.commands.isUp ? this.#publishThere(server, outgoing) : this.#publishHere(outgoing);
  }

  ask<Q extends Question>(subject: string, question: Q): readonly Finding<Q>[] | Promise<readonly Finding<Q>[]> {
    if (this.#receive === undefined) return [];
    const channel = this.channels.of(subject);
    if (subject === this.#nodeSubject) {
      return this.#subscriptions.isJoined(channel.name) ? this.#respond(question) : [];
    }
    const spoken = this.#line.next();
    const text = this.#line.textOf({ kind: 'question', ...spoken, question });
    if (text === undefined) return Promise.reject(tooLarge(this.settings.maxEnvelopeBytes));
    return new Promise((resolve, reject) => {
      this.#pending.open(spoken.sequence, (pending) => {
        if (isAnswered(pending) && this.#isWhole) resolve(pending.findings as Finding<Q>[]);
        else reject(unavailable('Not every node has answered.'));
      });
      this.#count(channel, text, spoken.sequence);
    });
  }

  close(): void {
    this.#receive = undefined;
    clearInterval(this.#timer);
    this.#pending.close();
    this.#subscriptions.close();
    this.network.close();
  }

  /** True when every node that lives can be reached, as far as is known. */
  get #isWhole(): boolean {
    return this.network.isAttached && this.directory.isEveryNodeAttached;
  }

  #publishThere(server: RedisServer, outgoing: Outgoing): Promise<DeliveryReport> {
    const { channel, sequence, text, envelope, isJoined, report } = outgoing;
    const isDeaf = isJoined && server.hearing === 'none';
    const isOwn = isDeaf || this.#subscriptions.isInForce(channel.name);
    return new Promise((resolve, reject) => {
      this.#pending.open(sequence, (pending) => {
        if (pending.expected === undefined && envelope.content.kind !== 'message') reject(unavailable(NOT_CARRIED));
        else resolve(this.#reportOf(pending));
      });
      if (isOwn) this.#own.add(sequence, channel, envelope);
      if (isDeaf) this.#serveOwn(channel.partition, sequence);
      this.#line.send(
        channel,
        text,
        (count) => {
          this.#own.sent(sequence);
          if (count === 0 && this.#own.has(sequence)) server.subscriber.restart(UNKNOWN_TO_REDIS);
          const reached = isDeaf ? count + 1 : count;
          this.#pending.expect(sequence, reached, report ? reached : Math.min(reached, isOwn ? 1 : 0));
        },
        () => {
          this.#serveOwn(channel.partition, sequence);
          this.#pending.fail(sequence);
        },
      );
    });
  }

  /** Redis is away. A message is served here; an order is carried out here, and its sender told that this was not all. */
  #publishHere({ channel, envelope, isJoined }: Outgoing): DeliveryReport | Promise<DeliveryReport> {
    this.#serveOwn(channel.partition);
    const reached = isJoined ? this.#receive!(envelope) : 0;
    if (envelope.content.kind !== 'message') return Promise.reject(unavailable(NOT_CARRIED));
    const report = (recipients: number) => ({ ...localReport(recipients), complete: false });
    return typeof reached === 'number' ? report(reached) : reached.then(report);
  }

  #reportOf(pending: Pending): DeliveryReport {
    const { recipients, nodes, reached, answered } = pending;
    return { recipients, nodes, complete: isAnswered(pending) && answered >= reached && this.#isWhole };
  }

  /** Publishes what every node answers. */
  #count(channel: RedisChannel, text: string, sequence: number): void {
    this.#line.send(
      channel,
      text,
      (count) => this.#pending.expect(sequence, count),
      () => this.#pending.fail(sequence),
    );
  }

  /** Serves what should have come back from Redis, in its order. */
  #serveOwn(partition: number, upTo?: number): void {
    for (const [sequence, envelope] of this.#own.take(partition, upTo)) {
      this.#line.skip(partition, sequence);
      this.#deliver(envelope, (recipients) => this.#pending.answer(sequence, recipients));
    }
  }

  /** @param answer told how many it reached, at once or when an order is in force */
  #deliver(envelope: Envelope, answer: (recipients: number) => void): void {
    const reached = this.#receive?.(envelope) ?? 0;
    if (typeof reached === 'number') answer(reached);
    else void reached.then((recipients) => answer(recipients));
  }

  readonly #take = (frame: BusFrame, partition: number, isJoined: boolean): void => {
    const { origin, sequence } = frame;
    const isOwn = origin === this.#nodeId;
    const isHeard = isJoined && this.network.serverOf(partition)?.hearing === 'open';
    switch (frame.kind) {
      case 'envelope': {
        if (isOwn) this.#own.arrived(sequence);
        const answer = (recipients: number): void => {
          if (isOwn) this.#pending.answer(sequence, recipients);
          else if (frame.wantsReport) this.#answers.add(origin, [sequence, recipients]);
        };
        if (isHeard) this.#deliver(frame.envelope, answer);
        else answer(0);
        return;
      }
      case 'roll-call':
        if (isOwn) this.#pending.answer(sequence, 0);
        else this.#answers.add(origin, [sequence, 0]);
        return;
      case 'reached':
        for (const [about, recipients] of frame.counts) this.#pending.answer(about, recipients);
        return;
      case 'question':
        this.#answerQuestion(origin, sequence, isHeard ? this.#respond(frame.question) : []);
        return;
      case 'found':
        this.#pending.add(frame.about, frame.findings.flatMap(fromFindingData));
        if (frame.isLast) this.#pending.answer(frame.about, 0);
        return;
      case 'probe':
        if (isOwn) this.#probes.heard(partition, sequence);
        return;
      case 'attachment':
        if (!isOwn) this.directory.heard(origin, frame.isAttached, frame.isGone);
        return;
    }
  };

  #answerQuestion(origin: string, about: number, findings: readonly Finding[]): void {
    if (origin === this.#nodeId) {
      this.#pending.add(about, findings);
      return this.#pending.answer(about, 0);
    }
    for (let i = 0; i === 0 || i < findings.length; i += MAX_FINDINGS) {
      const part = findings.slice(i, i + MAX_FINDINGS).map(toFindingData);
      const isLast = i + MAX_FINDINGS >= findings.length;
      this.#line.say(this.channels.answersTo(origin), {
        kind: 'found',
        ...this.#line.next(),
        about,
        findings: part,
        isLast,
      });
    }
  }

  #callRoll(): void {
    const spoken = this.#line.next();
    const text = this.#line.textOf({ kind: 'roll-call', ...spoken });
    const called = ({ expected, answered }: Pending): void =>
      this.#pending.rollCalled(Math.max(0, (expected ?? answered) - answered));
    this.#pending.open(spoken.sequence, called, ROLL_CALL_TIMEOUT_MS);
    if (text !== undefined) this.#count(this.channels.everybody, text, spoken.sequence);
  }

  readonly #changed = (server: RedisServer): void => {
    if (server.subscriber.isUp) this.#live.add(server);
    else if (server.hearing === 'none') {
      if (this.#live.delete(server)) this.#line.stats.gaps += 1;
      this.#probes.forget(server);
      for (const partition of server.partitions) this.#serveOwn(partition);
    }
    this.#subscriptions.changed(server);
    const { isAttached } = this;
    if (isAttached === this.#wasAttached || this.#receive === undefined) return;
    this.#wasAttached = isAttached;
    if (isAttached) this.#logger.log('Attached to Redis');
    else this.#logger.warn('Not attached to Redis: only the connections of this node are reached');
    this.directory.attached(isAttached);
  };

  /** Tells the others what they would find in this node's lease some seconds later. */
  readonly #announce = (isAttached: boolean, isGone: boolean): Promise<void> =>
    this.#line.tell(this.channels.everybody, { kind: 'attachment', ...this.#line.next(), isAttached, isGone });

  /** What does not come back shows that nothing else would, unless this node has left its channel meanwhile. */
  #suspect(sequence: number, channel: RedisChannel): void {
    if (!this.#subscriptions.isInForce(channel.name)) return this.#own.arrived(sequence);
    this.network.serverOf(channel.partition)?.subscriber.restart('what was published does not come back');
  }

  readonly #tick = (): void => {
    for (const server of this.network.tick()) this.#subscriptions.giveUp(server);
    this.#subscriptions.tick();
    this.#pending.tick();
    this.#probes.tick();
    const overdue = this.#own.tick();
    if (overdue) this.#suspect(...overdue);
  };
}

const NOT_CARRIED = 'Redis is away: the order was not carried to other nodes.';
const CURE = 'Start it, correct its address, or start without it: redisBackend({ requireAtBoot: false })';

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

function unavailable(message: string): RealtimeError {
  return new RealtimeError('UNAVAILABLE', message);
}

function tooLarge(limit: number): RealtimeError {
  return new RealtimeError('LIMIT_EXCEEDED', `The message is larger than the ${limit} bytes that Redis is to carry.`);
}
