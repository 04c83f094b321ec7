import type { DeliveryReport } from '../../../core/routing/delivery-report.js';
import type { HistoryPage, HistoryRange, Publication, Retention } from '../../../core/history/history.js';
import { addressOfTopic } from '../../../core/routing/topic-address.js';
import { MAX_POSITION_BYTES, splitPublication } from '../../../core/bus/publication-frame.js';
import { topicTag } from '../../../core/history/unpublished-epoch.js';
import { positionLifeMs } from '../../../core/history/publication-stream.js';
import { KEY_LIFE_MS } from '../../../core/history/publication-streams.js';
import { subjectOf } from '../../../core/bus/subject.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { HistoryStore, type PositionedReport, type PublicationOptions } from '../../../ports/history-store.js';
import type { IdGenerator } from '../../../ports/id-generator.js';
import { UNKNOWN_TO_REDIS } from '../bus/probes.js';
import { publishScript } from './publish-script.js';
import { readScript } from './read-script.js';
import type { RedisAnswers } from '../bus/redis-answers.js';
import type { RedisChannel, RedisChannels } from '../connection/redis-channels.js';
import { unavailable } from '../connection/redis-connection.js';
import { tooLarge, type RedisTransport } from '../bus/redis-transport.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisScript } from '../connection/redis-script.js';
import type { RedisServer } from '../connection/redis-server.js';
import type { RedisSubscriptions } from '../bus/redis-subscriptions.js';

/** A publication on its way to Redis. */
interface Outgoing {
  readonly channel: RedisChannel;
  readonly sequence: number;
  readonly report: boolean;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/**
 * Keeps the history of topics in Redis: one script counts a message, keeps it and publishes it, so that what is kept and
 * what the nodes hear has one order.
 *
 * An epoch holds for one run of the server. After a restart, or on a replica that was promoted, the last publications may
 * be lost and their offsets be given out again: the first who looks at a topic there begins another epoch.
 */
export class RedisHistoryStore extends HistoryStore {
  /** @param ids names epochs */
  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly subscriptions: RedisSubscriptions,
    private readonly answers: RedisAnswers,
    private readonly ids: IdGenerator,
  ) {
    super();
  }

  publish(
    topic: string,
    text: string,
    { size, ttlMs }: Retention,
    { report, idempotencyKey }: PublicationOptions,
  ): Promise<PositionedReport> {
    const address = addressOfTopic(topic);
    const channel = this.channels.of(subjectOf(address)!);
    const server = this.network.serverOf(channel.partition);
    if (!server?.commands.isUp) return Promise.reject(unavailable());
    const { sequence, origin } = this.transport.next();
    const [head, tail] = splitPublication({
      kind: 'envelope',
      origin,
      sequence,
      wantsReport: report,
      envelope: { to: [address], except: [], content: { kind: 'message', text } },
    });
    if (!this.transport.fits(head + tail, MAX_POSITION_BYTES)) return Promise.reject(tooLarge(this.transport.maxBytes));
    const keys = [...this.channels.historyOf(topic, channel)];
    if (idempotencyKey !== undefined) keys.push(this.channels.onceOf(topic, idempotencyKey, channel));
    const args = [
      server.runId,
      this.ids.next(),
      `${size}`,
      `${ttlMs}`,
      `${positionLifeMs(ttlMs)}`,
      server.isSharded ? 'SPUBLISH' : 'PUBLISH',
      channel.name,
      head,
      tail,
      `${KEY_LIFE_MS}`,
      topicTag(topic),
    ];
    return this.#publishThere(server, { channel, sequence, report, keys, args });
  }

  async read(topic: string, range: HistoryRange, { ttlMs }: Retention): Promise<HistoryPage> {
    const channel = this.channels.of(subjectOf(addressOfTopic(topic))!);
    const server = this.network.serverOf(channel.partition);
    if (!server?.commands.isUp) throw unavailable();
    const args = [server.runId, this.ids.next(), `${positionLifeMs(ttlMs)}`, ...idsIn(range), topicTag(topic)];
    const reply = await this.#run(readScript, server, this.channels.historyOf(topic, channel), args);
    const [epoch, offset, entries] = reply as [string, string, readonly Entry[]];
    return { top: { epoch, offset: Number(offset) }, publications: entries.map(publicationIn) };
  }

  async #publishThere(server: RedisServer, outgoing: Outgoing): Promise<PositionedReport> {
    const { channel, sequence, report, keys, args } = outgoing;
    const isOwn = this.subscriptions.isActive(channel.name);
    // Others may answer before Redis does.
    const delivered = new Promise<DeliveryReport>((resolve) => this.answers.open(sequence, resolve));
    try {
      const reply = await this.#run(publishScript, server, keys, args);
      const [epoch, offset, reached] = reply as [string, string, number];
      if (reached === 0 && isOwn) this.#suspect(server, channel);
      if (reached < 0) this.answers.fail(sequence);
      else this.answers.expect(sequence, reached, report ? reached : Math.min(reached, isOwn ? 1 : 0));
      return { ...(await delivered), epoch, offset: Number(offset) };
    } catch (error) {
      this.answers.fail(sequence);
      throw error;
    }
  }

  async #run(
    script: RedisScript,
    server: RedisServer,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> {
    try {
      return await script.run(server, keys, args);
    } catch (error) {
      this.network.mistrust(server, error);
      throw explained(error);
    }
  }

  /** Redis has handed it to nobody, though this node should have got it. */
  #suspect(server: RedisServer, { name }: RedisChannel): void {
    if (this.subscriptions.isActive(name)) server.subscriber.restart(UNKNOWN_TO_REDIS);
  }
}

/** An entry of a stream. */
type Entry = readonly [id: string, fields: readonly [name: string, text: string]];

function publicationIn([id, [, text]]: Entry): Publication {
  return { offset: Number.parseInt(id, 10), text };
}

/** The command that reads a range, from and to which id, and how many. */
function idsIn({ limit, since, reverse = false }: HistoryRange): string[] {
  if (!reverse) return ['XRANGE', since === undefined ? '-' : `${since + 1}-0`, '+', `${limit}`];
  // Nothing stands before the first one.
  if (since === 0) return ['XREVRANGE', '+', '-', '0'];
  return ['XREVRANGE', since === undefined ? '+' : `${since - 1}-0`, '-', `${limit}`];
}

function explained(error: unknown): unknown {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof Error) || !cause.message.startsWith('OOM')) return error;
  return new RealtimeError('UNAVAILABLE', 'Redis has no memory left for a history.', { cause });
}
