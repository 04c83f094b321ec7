import { Injectable } from '@nestjs/common';
import type { Problem } from '../core/base/problem.js';
import { ALL_SUBJECT, nodeSubject } from '../core/bus/subject.js';
import {
  explainStreamId,
  explainStreamOptions,
  STREAM_DEFAULTS,
  type TopicStreamOptions,
} from '../core/history/stream-options.js';
import type { StreamRun } from '../core/history/stream-run.js';
import { all } from '../core/routing/address.js';
import { explainTopic } from '../core/topic/topic.js';
import { RealtimeArgumentError } from '../errors/realtime-argument.error.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { SafeLogger } from '../errors/safe-logger.js';
import { Clock } from '../ports/clock.js';
import { HistoryStore } from '../ports/history-store.js';
import { IdGenerator } from '../ports/id-generator.js';
import { MessageBus } from '../ports/message-bus.js';
import { PresenceStore } from '../ports/presence-store.js';
import { LocalPresence } from './local-presence.js';
import { NodeDrain } from './node-drain.js';
import { NodeIdentity } from './node-identity.js';
import { NodeLifecycle } from './node-lifecycle.js';
import { NodeMeter } from './node-meter.js';
import { PublishedStream, type StreamParts, type TopicStream } from './published-stream.js';
import { RemoteStream } from './remote-stream.js';
import { StreamBurials } from './stream-burials.js';
import { StreamEndings } from './stream-endings.js';
import { StreamPlaces } from './stream-places.js';
import { keyOf, StreamRegistrations } from './stream-registrations.js';
import type { OpenSource } from './stream-source.js';
import { Timestamps } from './timestamps.js';
import { showInTail } from './tail-entry.js';
import { TopicPolicies } from './topic-policies.js';

/** After this share of the drain's timeout, streams that still run are ended. */
const PATIENCE = 0.8;

/** The settings of published streams. */
export class StreamRules {
  /**
   * @param drainMs the timeout of a drain, in milliseconds
   * @param told returns the text of an error for clients; nothing if it is not meant for them
   */
  constructor(
    readonly drainMs: number,
    readonly told: (error: unknown) => string | undefined,
  ) {}
}

/** The streams that this node publishes, starts on behalf of callers, and ends for nodes that are gone. */
@Injectable()
export class PublishedStreams {
  readonly #logger = new SafeLogger('RealtimeStreams');
  readonly #places: StreamPlaces;
  readonly #endings: StreamEndings;
  readonly #registrations: StreamRegistrations;
  readonly #shared: StreamParts;
  /** The streams of this node, those that are about to start included. */
  readonly #running = new Map<string, Promise<TopicStream>>();
  readonly #burials: StreamBurials;

  constructor(
    private readonly bus: MessageBus,
    history: HistoryStore,
    store: PresenceStore,
    presence: LocalPresence,
    private readonly policies: TopicPolicies,
    private readonly node: NodeIdentity,
    private readonly lifecycle: NodeLifecycle,
    private readonly nodeDrain: NodeDrain,
    private readonly ids: IdGenerator,
    clock: Clock,
    private readonly rules: StreamRules,
    meter: NodeMeter,
  ) {
    const timestamps = new Timestamps(clock);
    this.#places = new StreamPlaces(history, ({ topic, type }, text) => {
      if (meter.tails.isOn) showInTail(meter.tails, topic, type, text, clock.now());
    });
    this.#endings = new StreamEndings(history, this.#places, timestamps);
    this.#registrations = new StreamRegistrations(store, {
      lost: (topic, id) => void this.#own(topic, id)?.then((stream) => stream?.interrupt({ kind: 'lost' })),
      orphaned: (run) => void this.#orphaned(run),
    });
    this.#burials = new StreamBurials(node.id, this.#registrations, this.#endings, this.#places);
    this.#shared = {
      places: this.#places,
      endings: this.#endings,
      timestamps,
      now: () => clock.now(),
      failed: (run, error) => this.#failed(run, error),
      ended: (run) => {
        this.#running.delete(keyOf(run.topic, run.id));
        this.#registrations.release(run);
      },
    };
    presence.onStreamChange((topic, change) => this.#registrations.changed(topic, change));
    nodeDrain.onStart(() => this.#drain());
  }

  /**
   * Starts a stream, unless one with this id runs in the topic on any node.
   * @returns the stream that runs
   * @throws RealtimeArgumentError if an argument is invalid, or the topic keeps no history
   * @throws RealtimeError `UNAVAILABLE` if the other nodes could not be asked; the source was not called then
   */
  async start(topic: string, open: OpenSource, options: TopicStreamOptions = {}): Promise<TopicStream> {
    refuse([...explainTopic(topic), ...explainSource(open), ...explainStreamOptions(options)]);
    this.#assertOpen();
    const retention = this.policies.of(topic)?.history;
    if (!retention) refuse([{ at: 'topic', message: KEEPS_NONE }]);
    const id = options.id ?? this.ids.next();
    const key = keyOf(topic, id);
    const buried = this.#burials.of(key);
    if (buried) return this.#remote(buried);
    const running = this.#running.get(key);
    if (running) return running;
    const { type = STREAM_DEFAULTS.type } = options;
    const { size, ttlMs } = retention!;
    const nonce = this.ids.next();
    const run: StreamRun = { topic, id, type, node: this.node.id, nonce, retention: { size, ttlMs } };
    const starting = this.#begin(run, open, options);
    this.#running.set(key, starting);
    try {
      const stream = await starting;
      if (stream instanceof RemoteStream) this.#running.delete(key);
      return stream;
    } catch (error) {
      this.#running.delete(key);
      throw error;
    }
  }

  /**
   * Stops a stream, on whichever node it runs.
   * @returns false if none with this id runs in the topic
   * @throws RealtimeError `UNAVAILABLE` if it is not known whether it runs, or its node could not be reached
   */
  async stop(topic: string, id: string): Promise<boolean> {
    refuse([...explainTopic(topic), ...explainStreamId(id)]);
    this.lifecycle.assertRunning();
    const own = await this.#own(topic, id);
    if (own) {
      await own.stop();
      return true;
    }
    const found = await this.#registrations.find(topic, id);
    return found !== undefined && this.#order(topic, id, found.run);
  }

  /** Carries out the order of another node to stop a stream. @returns 1 if this node runs it */
  stopHere(topic: string, id: string): number | Promise<number> {
    const own = this.#own(topic, id);
    if (own === undefined) return 0;
    return own.then((stream) => {
      stream?.interrupt({ kind: 'stopped' });
      return stream === undefined ? 0 : 1;
    });
  }

  /** Ends whatever waits. The streams have been drained by now. */
  close(): void {
    this.#places.close();
  }

  async #begin(run: StreamRun, open: OpenSource, options: TopicStreamOptions): Promise<TopicStream> {
    const { topic, id } = run;
    const found = await this.#registrations.find(topic, id);
    if (found) return this.#remote(found.run ?? run);
    // Of nodes that claim it at the same time, one gets it.
    if (!(await this.#registrations.claim(topic, id))) return this.#remote(run);
    try {
      await this.#registrations.confirm(run);
      this.#assertOpen();
    } catch (error) {
      this.#registrations.release(run);
      throw error;
    }
    const { flushMs = STREAM_DEFAULTS.flushMs, maxBytes = STREAM_DEFAULTS.maxBytes } = options;
    return new PublishedStream(run, { flushMs, maxBytes }, open, this.#shared);
  }

  /** The stream with this id, if this node runs it or is about to. */
  #own(topic: string, id: string): Promise<PublishedStream | undefined> | undefined {
    const starting = this.#running.get(keyOf(topic, id));
    return starting && ownOf(starting);
  }

  #remote(run: StreamRun): RemoteStream {
    const parts = { registrations: this.#registrations, endings: this.#endings, places: this.#places };
    return new RemoteStream(run, parts, () => this.stop(run.topic, run.id));
  }

  async #order(topic: string, id: string, run: StreamRun | undefined): Promise<boolean> {
    const subject = run ? nodeSubject(run.node) : ALL_SUBJECT;
    const content = { kind: 'stop-stream', topic, id } as const;
    const envelope = { to: [all()], except: [], content };
    const { recipients, complete } = await this.bus.publish(subject, envelope, { report: true });
    if (recipients > 0 || complete) return recipients > 0;
    throw new RealtimeError('UNAVAILABLE', 'The node that runs the stream did not answer in time.');
  }

  /** Ends the stream of a node that is gone, unless one with the same id begins here and takes its place. */
  async #orphaned(run: StreamRun): Promise<void> {
    if (!(await this.#own(run.topic, run.id))) await this.#burials.bury(run);
  }

  async #drain(): Promise<void> {
    const { drainMs } = this.rules;
    await this.#ended(drainMs * PATIENCE);
    const shutdown = { kind: 'error', error: SHUTTING_DOWN } as const;
    for (const starting of this.#running.values()) void ownOf(starting).then((stream) => stream?.interrupt(shutdown));
    await this.#ended(drainMs * (1 - PATIENCE));
  }

  /** Waits until all streams of this node have ended, at most for this time. */
  async #ended(withinMs: number): Promise<void> {
    const streams = Array.from(this.#running.values(), async (starting) => (await ownOf(starting))?.done);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([Promise.all(streams), late]);
    clearTimeout(timer);
  }

  #failed({ topic, id }: StreamRun, error: unknown): string {
    const told = this.rules.told(error);
    if (told !== undefined) return told;
    this.#logger.error(`The stream "${id}" of the topic "${topic}" failed`, stackOf(error));
    return INTERNAL;
  }

  #assertOpen(): void {
    this.lifecycle.assertRunning();
    if (this.nodeDrain.isDraining) throw new RealtimeError('UNAVAILABLE', DRAINING);
  }
}

const KEEPS_NONE =
  'must keep a history, so that readers that come late see the whole stream: add { history } to the @TopicGateway() for it';

const DRAINING = 'This node is shutting down, so the stream was not started.';

const SHUTTING_DOWN = 'The stream was interrupted: its server is shutting down.';

const INTERNAL = 'The server failed to handle this; its log has the reason.';

/** Never rejects. @returns nothing if the stream did not start here */
function ownOf(starting: Promise<TopicStream>): Promise<PublishedStream | undefined> {
  return starting.then(
    (stream) => (stream instanceof PublishedStream ? stream : undefined),
    () => undefined,
  );
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new RealtimeArgumentError(problems);
}

function explainSource(open: unknown): readonly Problem[] {
  return typeof open === 'function'
    ? []
    : [
        {
          at: 'source',
          message: 'must be a function that returns an AsyncIterable, such as (signal) => generate(signal)',
        },
      ];
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : `a thrown ${typeof error}`;
}
