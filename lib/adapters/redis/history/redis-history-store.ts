import type { DeliveryReport } from '../../../core/routing/delivery-report.js';
import type { HistoryPage, HistoryRange, Publication, Retention } from '../../../core/history/history.js';
import { soundRun, type StoredPublication } from '../../../core/history/sound-run.js';
import { addressOfTopic } from '../../../core/routing/topic-address.js';
import { topicTag } from '../../../core/history/unpublished-epoch.js';
import { positionLifeMs } from '../../../core/history/publication-stream.js';
import { KEY_LIFE_MS } from '../../../core/history/publication-streams.js';
import { subjectOf } from '../../../core/bus/subject.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { SafeLogger } from '../../../errors/safe-logger.js';
import { HistoryStore, type PositionedReport, type HistoryPublishOptions } from '../../../ports/history-store.js';
import type { IdGenerator } from '../../../ports/id-generator.js';
import type { OutgoingEnvelope, PublicationReports } from '../bus/publication-reports.js';
import { publishScript } from './publish-script.js';
import { readScript } from './read-script.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import { unavailable } from '../connection/redis-connection.js';
import { tooLarge, type RedisTransport } from '../connection/redis-transport.js';
import type { RedisNetwork, ScriptCall } from '../connection/redis-network.js';
import type { RedisScript } from '../connection/redis-script.js';
import type { RedisServer } from '../connection/redis-server.js';
import type { RedisSubscriptions } from '../bus/redis-subscriptions.js';

/** A publication, and the call of the script that publishes it. */
interface OutgoingPublication extends OutgoingEnvelope {
  readonly keys: readonly string[];
  /** The arguments but for the first, the server's run. */
  readonly args: readonly string[];
  /** Its frame, between whose parts belongs the position. */
  readonly parts: readonly [head: string, tail: string];
}

/**
 * Keeps the history of topics in Redis. One script numbers, stores and publishes a message, so that the stored order is the
 * order in which the nodes receive it.
 *
 * An epoch holds for one run of the server. After a restart, or on a replica that was promoted, the last publications may
 * be lost and their offsets be assigned again, so the first access to a topic there begins another epoch. It goes on at
 * another server of a Redis Cluster if a planned move has brought it there: see `isPlannedMove`.
 */
export class RedisHistoryStore extends HistoryStore {
  readonly #logger = new SafeLogger(RedisHistoryStore.name);
  #hasSaidTampered = false;

  /** @param ids names epochs */
  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly subscriptions: RedisSubscriptions,
    private readonly reports: PublicationReports,
    private readonly ids: IdGenerator,
  ) {
    super();
  }

  publish(
    topic: string,
    text: string,
    { size, ttlMs }: Retention,
    { report, idempotencyKey, trace }: HistoryPublishOptions,
  ): Promise<PositionedReport> {
    const address = addressOfTopic(topic);
    const channel = this.channels.of(subjectOf(address)!);
    const server = this.network.serverOf(channel.partition);
    if (!server?.commands.isUp) return Promise.reject(unavailable());
    const { sequence, origin } = this.transport.next();
    const parts = this.transport.publicationOf(channel, {
      kind: 'envelope',
      origin,
      sequence,
      wantsReport: report,
      envelope: {
        to: [address],
        except: [],
        content: { kind: 'message', text },
        ...(trace !== undefined && { trace }),
      },
    });
    if (parts === undefined) return Promise.reject(tooLarge(this.transport.maxBytes));
    const keys = [...this.channels.historyOf(topic, channel)];
    if (idempotencyKey !== undefined) keys.push(this.channels.onceOf(topic, idempotencyKey, channel));
    const args = [
      this.ids.next(),
      `${size}`,
      `${ttlMs}`,
      `${positionLifeMs(ttlMs)}`,
      server.isSharded ? 'SPUBLISH' : 'PUBLISH',
      channel.name,
      ...parts,
      `${KEY_LIFE_MS}`,
      topicTag(topic),
    ];
    const isOwn = this.subscriptions.isActive(channel.name);
    return this.#publishThere(server, { channel, sequence, wantsReport: report, isOwn, keys, args, parts });
  }

  async read(topic: string, range: HistoryRange, { ttlMs }: Retention): Promise<HistoryPage> {
    const channel = this.channels.of(subjectOf(addressOfTopic(topic))!);
    const server = this.network.serverOf(channel.partition);
    if (!server?.commands.isUp) throw unavailable();
    const args = [this.ids.next(), `${positionLifeMs(ttlMs)}`, ...idsIn(range), topicTag(topic)];
    const reply = await this.#run(readScript, server, {
      partition: channel.partition,
      keys: this.channels.historyOf(topic, channel),
      argsFor: ({ runId }) => [runId, ...args],
    });
    const [epoch, offset, entries] = reply as [string, string, readonly StreamEntry[]];
    const top = { epoch, offset: Number(offset) };
    return { top, publications: this.soundOf(entries, top.offset, range.reverse ?? false) };
  }

  /** The publications that nobody has tampered with; the others count as no longer kept. */
  soundOf(entries: readonly StreamEntry[], top: number, reverse: boolean): readonly Publication[] {
    const publications = soundRun(entries.map(storedIn), top, reverse, this.transport.maxBytes);
    if (publications.length < entries.length) this.#sayTampered();
    return publications;
  }

  #sayTampered(): void {
    if (this.#hasSaidTampered) return;
    this.#hasSaidTampered = true;
    this.#logger.warn(
      'Entries of a history that no node has written, or gaps in it, count as publications that are no longer kept (said once)',
    );
  }

  async #publishThere(server: RedisServer, outgoing: OutgoingPublication): Promise<PositionedReport> {
    const delivered = new Promise<DeliveryReport>((resolve) => this.reports.open(server, outgoing, resolve));
    const { channel, keys, args, parts } = outgoing;
    let isAheadOfNodes = false;
    let executing: RedisServer | undefined;
    let attempts = 0;
    try {
      const running = this.#run(publishScript, server, {
        partition: channel.partition,
        keys,
        argsFor: (owner, isAhead) => {
          executing = owner;
          isAheadOfNodes = isAhead;
          return [owner.runId, ...args];
        },
        sent: () => void (attempts += 1),
      });
      // If it waits while its slot moves, is redirected, or is sent again with its script, it is published after the check.
      const isAtOnce = attempts === 1;
      const reply = await running;
      const [epoch, offset, reached] = reply as [string, string, number];
      // Below 0: the idempotency key is known, and nothing was published.
      if (reached < 0) this.reports.fail(outgoing);
      else if (isAheadOfNodes) {
        const nodesAt = this.network.serverOf(channel.partition);
        const relayed = await this.transport.relay(channel, placed(parts, epoch, offset));
        const isSure = relayed !== undefined;
        this.reports.handed(server, outgoing, {
          count: reached + (relayed ?? 0),
          server: nodesAt,
          isSure,
          isLate: true,
        });
      } else
        this.reports.handed(server, outgoing, { count: reached, server: executing, isLate: !isAtOnce || attempts > 1 });
      const report = { ...(await delivered), epoch, offset: Number(offset) };
      return reached < 0 ? { ...report, repeated: true } : report;
    } catch (error) {
      this.reports.fail(outgoing);
      throw error;
    }
  }

  async #run(script: RedisScript, server: RedisServer, call: ScriptCall): Promise<unknown> {
    try {
      return await this.network.run(script, call);
    } catch (error) {
      this.network.mistrust(server, error);
      throw explained(error);
    }
  }
}

/** An entry of a stream, as anybody who may write to Redis can have changed it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

function storedIn([id, [name, text]]: StreamEntry): StoredPublication {
  const [, offset] = /^(\d+)-0$/.exec(id) ?? [];
  return { offset: Number(offset), text: name === 'text' ? text : undefined };
}

/** The command that reads a range: its name, the two ids, and the count. */
function idsIn({ limit, since, reverse = false }: HistoryRange): string[] {
  if (!reverse) return ['XRANGE', since === undefined ? '-' : `${since + 1}-0`, '+', `${limit}`];
  // No publication precedes the first one.
  if (since === 0) return ['XREVRANGE', '+', '-', '0'];
  return ['XREVRANGE', since === undefined ? '+' : `${since - 1}-0`, '-', `${limit}`];
}

/** The frame of a publication, with its position written as the script writes it. */
function placed([head, tail]: OutgoingPublication['parts'], epoch: string, offset: string): string {
  return `${head}["${epoch}",${offset}]${tail}`;
}

function explained(error: unknown): unknown {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof Error) || !cause.message.startsWith('OOM')) return error;
  return new RealtimeError('UNAVAILABLE', `Redis has no memory left for the history: ${cause.message}`, { cause });
}
