import { Logger } from '@nestjs/common';
import { decodeFrame, encodeFrame, type BusFrame, type ReachedCount } from '../../core/bus-frame.js';
import { fromConnectionData, toConnectionData } from '../../core/connection-data.js';
import { isNodeId } from '../../core/connection-id.js';
import type { RealtimeConnection } from '../../core/connection.js';
import { localReport, type DeliveryReport } from '../../core/delivery-report.js';
import type { Envelope } from '../../core/envelope.js';
import type { Finding, Question } from '../../core/question.js';
import { ALL_SUBJECT, nodeSubject } from '../../core/subject.js';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import {
  MessageBus,
  type EnvelopeReceiver,
  type PublishOptions,
  type QuestionResponder,
} from '../../ports/message-bus.js';
import { HeardSequences } from './heard-sequences.js';
import { OwnCopies } from './own-copies.js';
import { isAnswered, PendingAnswers, ROLL_CALL_TIMEOUT_MS, type Pending } from './pending-answers.js';
import type { RedisChannel, RedisChannels } from './redis-channels.js';
import { TICK_MS } from './redis-connection.js';
import { command, type RedisNetwork } from './redis-network.js';
import type { RedisNodeDirectory } from './redis-node-directory.js';
import type { RedisSettings } from './redis-options.js';
import type { RedisServer } from './redis-server.js';
import { RedisSubscriptions } from './redis-subscriptions.js';

/** Most answers in one frame, and most things that were found in one. */
const MAX_COUNTS = 4_096;
const MAX_FINDINGS = 128;

const UNKNOWN_TO_REDIS = 'Redis does not know of our subscriptions';

/** What goes on unseen, for tests and for those who look for a fault. */
export interface RedisBusStats {
  /** Frames that were no frames, of another version, or too large. */
  ignored: number;
  /** Frames that had come before: twice, late, or played back. */
  repeated: number;
  /** How often a connection for subscriptions was lost: what was published until it was back did not arrive here. */
  gaps: number;
}

/** Carries envelopes over Redis: one channel for each subject, on one server or spread over a Redis Cluster. */
export class RedisMessageBus extends MessageBus {
  readonly stats: RedisBusStats = { ignored: 0, repeated: 0, gaps: 0 };
  readonly #logger = new Logger(RedisMessageBus.name);
  readonly #subscriptions: RedisSubscriptions;
  readonly #heard = new HeardSequences();
  readonly #own = new OwnCopies();
  readonly #pending = new PendingAnswers(() => this.#callRoll());
  readonly #reached = new Map<string, ReachedCount[]>();
  #isAnswering = false;
  #sequence = 0;
  #nodeId = '';
  #nodeSubject = '';
  #receive: EnvelopeReceiver | undefined;
  #respond: QuestionResponder = () => [];
  #timer: NodeJS.Timeout | undefined;
  #wasAttached = false;
  readonly #live = new Set<RedisServer>();
  #probeTicks = 0;
  /** The probes that have not come back, by the partition that they went over. */
  readonly #probes = new Map<number, number>();

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly directory: RedisNodeDirectory,
    private readonly settings: RedisSettings,
  ) {
    super();
    this.#subscriptions = new RedisSubscriptions(network, channels, settings, this.#hear);
  }

  get isAttached(): boolean {
    return this.#receive !== undefined && this.network.isAttached;
  }

  async open(nodeId: string, receive: EnvelopeReceiver, respond: QuestionResponder): Promise<void> {
    if (!isNodeId(nodeId)) {
      throw new RealtimeConfigurationError('A node’s id must be 1 to 64 letters, digits, _ or -: see IdGenerator');
    }
    this.#nodeId = nodeId;
    this.#nodeSubject = nodeSubject(nodeId);
    this.#receive = receive;
    this.#respond = respond;
    for (const partition of this.channels.all()) {
      this.#subscriptions.join(this.channels.probe(nodeId, partition))?.catch(ignore);
    }
    this.#timer = setInterval(this.#tick, TICK_MS);
    try {
      await this.network.open({
        restore: (server) => this.#subscriptions.restore(server),
        changed: this.#changed,
        moved: () => this.network.refresh(),
      });
    } catch (error) {
      if (!this.settings.requireAtBoot) return this.#logger.warn('Redis is away: starting without it');
      await this.close();
      throw new RealtimeError(
        'UNAVAILABLE',
        'Redis cannot be reached. Start it, correct its address, or start without it: redisBackend({ requireAtBoot: false })',
        { cause: error },
      );
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
    if (subject === this.#nodeSubject) return localReport(isJoined ? receive(envelope) : 0);
    const sequence = ++this.#sequence;
    const text = encodeFrame({ kind: 'envelope', origin: this.#nodeId, sequence, envelope, wantsReport: report });
    if (this.#isTooLarge(text)) return Promise.reject(tooLarge(this.settings.maxEnvelopeBytes));
    const server = this.network.serverOf(channel.partition);
    if (!server?.commands.isUp) return this.#publishHere(channel, envelope, isJoined);
    return new Promise((resolve, reject) => {
      const isOrder = envelope.content.kind !== 'message';
      this.#pending.open(sequence, (pending) => {
        if (pending.expected === undefined && isOrder) reject(unavailable('The order was not carried to other nodes.'));
        else resolve(this.#reportOf(pending));
      });
      const isHeard = this.#subscriptions.isInForce(channel.name);
      const isDeaf = isJoined && !server.subscriber.isUp;
      if (isHeard || isDeaf) this.#own.add(sequence, channel.partition, envelope);
      if (isDeaf) this.#serveOwn(channel.partition, sequence);
      this.#send(
        channel,
        text,
        (count) => {
          if (count === 0 && this.#own.has(sequence)) server.subscriber.restart(UNKNOWN_TO_REDIS);
          const reached = isDeaf ? count + 1 : count;
          this.#pending.expect(sequence, reached, report ? reached : Math.min(reached, isHeard || isDeaf ? 1 : 0));
        },
        () => {
          this.#serveOwn(channel.partition, sequence);
          this.#pending.fail(sequence);
        },
      );
    });
  }

  ask<Q extends Question>(subject: string, question: Q): readonly Finding<Q>[] | Promise<readonly Finding<Q>[]> {
    if (this.#receive === undefined) return [];
    const channel = this.channels.of(subject);
    if (subject === this.#nodeSubject) {
      return this.#subscriptions.isJoined(channel.name) ? this.#respond(question) : [];
    }
    const sequence = ++this.#sequence;
    return new Promise((resolve, reject) => {
      this.#pending.open(sequence, (pending) => {
        if (isAnswered(pending) && this.#isComplete) resolve(pending.findings as Finding<Q>[]);
        else reject(unavailable('Not every node has answered.'));
      });
      this.#send(
        channel,
        encodeFrame({ kind: 'question', origin: this.#nodeId, sequence, question }),
        (count) => this.#pending.expect(sequence, count),
        () => this.#pending.fail(sequence),
      );
    });
  }

  async close(): Promise<void> {
    this.#receive = undefined;
    const goodbye = { kind: 'presence', ...this.#spoken(), isAttached: false, isGone: true } as const;
    if (this.network.isAttached) {
      await new Promise<void>((resolve) => {
        this.#send(this.channels.of(ALL_SUBJECT), encodeFrame(goodbye), () => resolve(), resolve);
      });
    }
    clearInterval(this.#timer);
    this.#pending.close();
    this.#subscriptions.close();
    this.network.close();
  }

  get #isComplete(): boolean {
    return this.network.isAttached && this.directory.isEveryNodeAttached;
  }

  /** Redis is away. A message is served here; an order is carried out here, and its sender told that this was not all. */
  #publishHere(channel: RedisChannel, envelope: Envelope, isJoined: boolean): DeliveryReport | Promise<DeliveryReport> {
    this.#serveOwn(channel.partition);
    const recipients = isJoined ? this.#receive!(envelope) : 0;
    if (envelope.content.kind !== 'message') {
      return Promise.reject(unavailable('The order was not carried to other nodes.'));
    }
    return { ...localReport(recipients), complete: false };
  }

  #reportOf(pending: Pending): DeliveryReport {
    const { recipients, nodes, reached, answered } = pending;
    return { recipients, nodes, complete: isAnswered(pending) && answered >= reached && this.#isComplete };
  }

  /** Serves what should have come back from Redis, in its order. */
  #serveOwn(partition: number, upTo?: number): void {
    for (const [sequence, envelope] of this.#own.take(partition, upTo)) {
      this.#heard.isNew(this.#nodeId, partition, sequence);
      this.#pending.answer(sequence, this.#receive?.(envelope) ?? 0);
    }
  }

  /**
   * @param sent told to how many nodes Redis has handed it
   * @param failed called when it is not known that Redis has it
   */
  #send(channel: RedisChannel, text: string, sent: (count: number) => void, failed: () => void): void {
    const server = this.network.serverOf(channel.partition);
    command(server, [server?.isSharded ? 'SPUBLISH' : 'PUBLISH', channel.name, text]).then(
      (count) => sent(Number(count)),
      (error: unknown) => {
        if (isMoved(error)) this.network.refresh();
        failed();
      },
    );
  }

  /** Where nobody waits for what becomes of it. */
  #say(subject: string, frame: BusFrame): void {
    this.#send(this.channels.of(subject), encodeFrame(frame), ignore, ignore);
  }

  #spoken(): { readonly origin: string; readonly sequence: number } {
    return { origin: this.#nodeId, sequence: ++this.#sequence };
  }

  #isTooLarge(text: string): boolean {
    const { maxEnvelopeBytes } = this.settings;
    // No UTF-16 unit takes more than three bytes.
    return text.length * 3 > maxEnvelopeBytes && Buffer.byteLength(text) > maxEnvelopeBytes;
  }

  readonly #hear = (text: string, partition: number, isJoined: boolean): void => {
    if (text.length > this.settings.maxEnvelopeBytes) return void this.stats.ignored++;
    const frame = decodeFrame(text);
    if (frame === undefined) return void this.stats.ignored++;
    if (!this.#heard.isNew(frame.origin, partition, frame.sequence)) return void this.stats.repeated++;
    this.#take(frame, partition, isJoined);
  };

  #take(frame: BusFrame, partition: number, isJoined: boolean): void {
    const { origin, sequence } = frame;
    switch (frame.kind) {
      case 'envelope': {
        const recipients = isJoined ? (this.#receive?.(frame.envelope) ?? 0) : 0;
        if (origin === this.#nodeId) {
          this.#own.arrived(sequence);
          this.#pending.answer(sequence, recipients);
        } else if (frame.wantsReport) this.#answer(origin, [sequence, recipients]);
        return;
      }
      case 'roll-call':
        if (origin === this.#nodeId) this.#pending.answer(sequence, 0);
        else this.#answer(origin, [sequence, 0]);
        return;
      case 'reached':
        for (const [about, recipients] of frame.counts) this.#pending.answer(about, recipients);
        return;
      case 'question':
        this.#answerQuestion(origin, sequence, isJoined ? this.#respond(frame.question) : []);
        return;
      case 'found': {
        const findings = frame.findings.flatMap(toFinding);
        if (frame.isLast) this.#pending.answer(frame.about, 0, findings);
        else this.#pending.add(frame.about, findings);
        return;
      }
      case 'probe':
        if (origin === this.#nodeId) this.#probes.delete(partition);
        return;
      case 'presence':
        this.directory.heard(origin, frame.isAttached, frame.isGone);
        return;
    }
  }

  /** The answers of one turn to one node leave together. */
  #answer(origin: string, count: ReachedCount): void {
    const counts = this.#reached.get(origin);
    if (counts) counts.push(count);
    else this.#reached.set(origin, [count]);
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    setImmediate(this.#flushAnswers);
  }

  readonly #flushAnswers = (): void => {
    this.#isAnswering = false;
    for (const [origin, counts] of this.#reached) {
      for (let i = 0; i < counts.length; i += MAX_COUNTS) {
        this.#say(nodeSubject(origin), { kind: 'reached', ...this.#spoken(), counts: counts.slice(i, i + MAX_COUNTS) });
      }
    }
    this.#reached.clear();
  };

  #answerQuestion(origin: string, about: number, findings: readonly Finding[]): void {
    if (origin === this.#nodeId) return this.#pending.answer(about, 0, findings);
    const subject = nodeSubject(origin);
    let i = 0;
    do {
      const part = findings.slice(i, (i += MAX_FINDINGS)).map(fromFinding);
      this.#say(subject, { kind: 'found', ...this.#spoken(), about, findings: part, isLast: i >= findings.length });
    } while (i < findings.length);
  }

  #callRoll(): void {
    const { origin, sequence } = this.#spoken();
    this.#pending.open(
      sequence,
      ({ expected, answered }) => this.#pending.rollCalled(Math.max(0, (expected ?? answered) - answered)),
      ROLL_CALL_TIMEOUT_MS,
    );
    this.#send(
      this.channels.of(ALL_SUBJECT),
      encodeFrame({ kind: 'roll-call', origin, sequence }),
      (count) => this.#pending.expect(sequence, count),
      () => this.#pending.fail(sequence),
    );
  }

  readonly #changed = (server: RedisServer): void => {
    if (server.subscriber.isUp) this.#live.add(server);
    else {
      if (this.#live.delete(server)) this.stats.gaps += 1;
      for (const partition of server.partitions) {
        this.#probes.delete(partition);
        this.#serveOwn(partition);
      }
    }
    this.#subscriptions.changed(server);
    this.#announce();
  };

  /** Tells the others, which would find it in this node's lease a few seconds later. */
  #announce(): void {
    const { isAttached } = this;
    if (isAttached === this.#wasAttached || this.#receive === undefined) return;
    this.#wasAttached = isAttached;
    if (!isAttached) this.#logger.warn('Not attached to Redis: only the connections of this node are reached');
    else this.#logger.log('Attached to Redis');
    this.directory.attached(isAttached);
    this.#say(ALL_SUBJECT, { kind: 'presence', ...this.#spoken(), isAttached, isGone: false });
  }

  readonly #tick = (): void => {
    for (const server of this.network.tick()) this.#subscriptions.giveUp(server);
    this.#subscriptions.tick();
    this.#pending.tick();
    const deaf = this.#own.tick();
    if (deaf !== undefined) this.network.serverOf(deaf)?.subscriber.restart('what was published does not come back');
    if (++this.#probeTicks * TICK_MS >= this.settings.probeIntervalMs) this.#probe();
  };

  /** A connection that is open and silent may be one that nothing comes over any more. */
  #probe(): void {
    this.#probeTicks = 0;
    for (const server of this.network.all()) {
      const [partition] = server.partitions;
      if (partition === undefined || !server.isAttached) continue;
      if (this.#probes.delete(partition)) server.subscriber.restart('a message to ourselves did not come back');
      else this.#sendProbe(server, partition);
    }
  }

  #sendProbe(server: RedisServer, partition: number): void {
    const { origin, sequence } = this.#spoken();
    this.#probes.set(partition, sequence);
    this.#send(
      this.channels.probe(origin, partition),
      encodeFrame({ kind: 'probe', origin, sequence }),
      (count) => {
        if (count > 0 || !this.#probes.delete(partition)) return;
        server.subscriber.restart(UNKNOWN_TO_REDIS);
      },
      () => this.#probes.delete(partition),
    );
  }
}

function ignore(): void {}

/** What is found crosses as plain data. */
function fromFinding(finding: Finding): unknown {
  return typeof finding === 'string' ? finding : toConnectionData(finding);
}

/** What is no finding is left out. */
function toFinding(data: unknown): Finding[] {
  const finding: RealtimeConnection | string | undefined =
    typeof data === 'string' ? data : fromConnectionData(data, (ms) => new Date(ms));
  return finding === undefined ? [] : [finding];
}

function isMoved(error: unknown): boolean {
  const cause = (error as { cause?: unknown }).cause;
  return cause instanceof Error && /^(MOVED|CLUSTERDOWN|ASK)/.test(cause.message);
}

function unavailable(message: string): RealtimeError {
  return new RealtimeError('UNAVAILABLE', message);
}

function tooLarge(limit: number): RealtimeError {
  return new RealtimeError('LIMIT_EXCEEDED', `The message is larger than the ${limit} bytes that Redis is to carry.`);
}
