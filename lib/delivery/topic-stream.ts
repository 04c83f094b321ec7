import { connection, topic, type Address } from '../core/routing/address.js';
import type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from '../core/history/history.js';
import { TopicFeed, type StreamStart } from '../core/history/topic-feed.js';
import type { HistoryStore } from '../ports/history-store.js';
import { MessageFrames } from './message-frames.js';
import type { LocalDelivery } from './local-delivery.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** The history that a topic keeps. */
export interface StreamSettings {
  readonly retention: Retention;
  /** True: a new subscriber receives the latest publication. */
  readonly sendLatest: boolean;
  /** Most publications of one read; a client that has missed more cannot recover. */
  readonly pageSize: number;
}

/** The start of a topic for a connection. The frames follow the confirmation of the subscription, in the same turn. */
export interface FramedStreamStart extends Omit<StreamStart, 'publications'> {
  readonly frames: readonly MessageFrames[];
  /** The size of these messages in bytes. */
  readonly length: number;
}

/** A connection that waits for its start. */
interface PendingStart {
  readonly onStart: (start: FramedStreamStart) => void;
  /** @param isIn false when the connection has left before its start */
  settle: (isIn: boolean, error?: unknown) => void;
}

/** The result of a read: a page, and the latest publication where new subscribers receive it. */
type Found = readonly [page: HistoryPage, latest: Publication | undefined];

const logger = new SafeLogger('TopicStreams');

/** A topic that keeps a history and has subscribers on this node. {@link TopicFeed} decides; this class reads and delivers. */
export class TopicStream {
  readonly #feed: TopicFeed;
  readonly #starts = new Map<string, PendingStart>();
  /** The frames of recent reads, by offset: subscribers that were away together come back together. */
  readonly #frames = new Map<number, MessageFrames>();
  readonly #to: readonly Address[];
  #isReading = false;
  #isClosed = false;
  /** The number of ticks since the last publication. */
  idleTicks = 0;

  constructor(
    private readonly name: string,
    private readonly settings: StreamSettings,
    private readonly delivery: LocalDelivery,
    private readonly history: HistoryStore,
  ) {
    this.#to = [topic(name)];
    this.#feed = new TopicFeed(settings, {
      deliver: (publication, position) => this.#deliver(publication, position),
      start: (connectionId, start) => this.#start(connectionId, start),
      lost: (position) => this.delivery.missed(name, position, this.#waiting),
    });
  }

  /** @returns how many connections it reached; a promise when it has to wait for its turn */
  arrive(publication: Publication, epoch: string): number | Promise<number> {
    this.idleTicks = 0;
    let reached: number | undefined;
    let served = (count: number): void => void (reached = count);
    this.#feed.arrive(publication, epoch, (count) => served(count));
    void this.#read();
    return reached ?? new Promise((resolve) => (served = resolve));
  }

  /** Withholds publications from the connection until it has entered. */
  hold(connectionId: string): void {
    this.#feed.hold(connectionId);
  }

  /**
   * Starts delivery to a connection. When it enters again before its start, only the last entry counts, and the earlier ones
   * settle with it.
   * @returns nothing when the connection has entered, else a promise that fulfils with false when it left before it entered,
   * and rejects when the history cannot be read
   */
  enter(
    connectionId: string,
    recover: StreamPosition | undefined,
    onStart: PendingStart['onStart'],
  ): Promise<boolean> | undefined {
    let isSettled = false;
    const before = this.#starts.get(connectionId);
    const pending: PendingStart = {
      onStart,
      settle: (isIn, error) => {
        isSettled = true;
        before?.settle(isIn, error);
      },
    };
    this.#starts.set(connectionId, pending);
    this.#feed.enter(connectionId, recover);
    void this.#read();
    if (isSettled) return undefined;
    return new Promise((resolve, reject) => {
      pending.settle = (isIn, error) => {
        if (error === undefined) resolve(isIn);
        else reject(error);
        before?.settle(isIn, error);
      };
    });
  }

  leave(connectionId: string): void {
    this.#feed.leave(connectionId);
    this.#settle(connectionId, false);
  }

  /** Ends the stream once no connection is left; the results of reads that are under way are dropped. */
  close(): void {
    this.#isClosed = true;
  }

  /** Reads the history for publications that were missed. @returns a promise when there is something to wait for */
  check(): Promise<void> | undefined {
    this.idleTicks = 0;
    this.#feed.doubt();
    return this.#read();
  }

  /** Called every second: retries a failed read, and drops the cached frames. */
  tick(): void {
    this.idleTicks += 1;
    this.#frames.clear();
    void this.#read();
  }

  /** Reads page by page until the feed needs nothing more. The promise never rejects. */
  #read(): Promise<void> | undefined {
    while (!this.#isReading && !this.#isClosed) {
      const { wanted } = this.#feed;
      if (wanted === undefined) return undefined;
      this.#feed.begin();
      const found = this.#find(wanted);
      if (found instanceof Promise) {
        this.#isReading = true;
        return found.then(
          (later) => this.#found(later),
          (error: unknown) => this.#failed(error),
        );
      }
      this.#feed.take(...found);
    }
    return undefined;
  }

  #found(found: Found): Promise<void> | undefined {
    this.#isReading = false;
    if (!this.#isClosed) this.#feed.take(...found);
    return this.#read();
  }

  #failed(error: unknown): void {
    this.#isReading = false;
    if (this.#isClosed) return;
    logger.warn(`The history of a topic could not be read: ${(error as Error).message}`);
    for (const connectionId of this.#feed.fail()) this.#settle(connectionId, false, error);
  }

  #find(range: HistoryRange): Found | Promise<Found> {
    const { retention } = this.settings;
    const page = this.history.read(this.name, range, retention);
    return page instanceof Promise ? page.then((later) => this.#withLatest(later)) : this.#withLatest(page);
  }

  /** Adds the latest publication to a page that ends before it, where new subscribers receive it. */
  #withLatest(page: HistoryPage): Found | Promise<Found> {
    const last = page.publications.at(-1);
    if (!this.settings.sendLatest || page.top.offset === 0 || last?.offset === page.top.offset) return [page, last];
    const latest = this.history.read(this.name, { limit: 1, reverse: true }, this.settings.retention);
    const found = ({ top, publications }: HistoryPage): Found => [
      page,
      top.epoch === page.top.epoch ? publications[0] : undefined,
    ];
    return latest instanceof Promise ? latest.then(found) : found(latest);
  }

  #deliver({ text }: Publication, position: StreamPosition): number {
    const reached = this.delivery.deliver({
      to: this.#to,
      except: this.#waiting,
      content: { kind: 'message', text, position },
    });
    return typeof reached === 'number' ? reached : 0;
  }

  get #waiting(): readonly Address[] {
    const { waiting } = this.#feed;
    return waiting.size === 0 ? NOBODY : Array.from(waiting.keys(), connection);
  }

  #start(connectionId: string, { publications, ...start }: StreamStart): void {
    const frames = publications.map((publication) => this.#framesOf(publication));
    const length = frames.reduce((sum, each) => sum + each.textBytes, 0);
    const pending = this.#starts.get(connectionId);
    let failure: unknown;
    try {
      pending?.onStart({ ...start, frames, length });
    } catch (error) {
      failure = error;
    }
    // It may have left during its start, and have begun to enter again.
    if (this.#starts.get(connectionId) === pending) this.#settle(connectionId, failure === undefined, failure);
  }

  #framesOf(publication: Publication): MessageFrames {
    const { offset, text } = publication;
    let frames = this.#frames.get(offset);
    if (frames?.text !== text) this.#frames.set(offset, (frames = new MessageFrames(text, this.name, offset)));
    return frames;
  }

  #settle(connectionId: string, isIn: boolean, error?: unknown): void {
    const pending = this.#starts.get(connectionId);
    if (pending === undefined) return;
    this.#starts.delete(connectionId);
    pending.settle(isIn, error);
  }
}

const NOBODY: readonly Address[] = [];
