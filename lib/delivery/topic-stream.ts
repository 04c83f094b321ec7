import { Logger } from '@nestjs/common';
import { connection, topic, type Address } from '../core/routing/address.js';
import type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from '../core/history/history.js';
import { TopicFeed, type StreamStart } from '../core/history/topic-feed.js';
import type { HistoryStore } from '../ports/history-store.js';
import { MessageFrames } from './message-frames.js';
import type { LocalDelivery } from './local-delivery.js';

/** How a topic keeps its history. */
export interface StreamSettings {
  readonly retention: Retention;
  /** Newcomers get the latest publication. */
  readonly sendLatest: boolean;
  /** Most publications of one read; who has missed more cannot recover. */
  readonly pageSize: number;
}

/** How a connection enters a topic. The frames have to leave behind the news of the subscription, in the same turn. */
export interface FramedStreamStart extends Omit<StreamStart, 'publications'> {
  readonly frames: readonly MessageFrames[];
  /** How many bytes these messages have. */
  readonly length: number;
}

/** A connection that waits to enter. */
interface PendingStart {
  readonly admit: (admission: FramedStreamStart) => void;
  /** @param isIn false when the connection has left before */
  settle: (isIn: boolean, error?: unknown) => void;
}

/** What was read: a page, and the latest publication where it is wanted. */
type Found = readonly [page: HistoryPage, latest: Publication | undefined];

const logger = new Logger('TopicStreams');

/** A topic that keeps a history and has subscribers on this node: it reads what the feed wants, and delivers what the feed says. */
export class TopicStream {
  readonly #feed: TopicFeed;
  readonly #entrants = new Map<string, PendingStart>();
  /** Of what was read lately, by offset: many who were away together come back together. */
  readonly #frames = new Map<number, MessageFrames>();
  readonly #to: readonly Address[];
  #isReading = false;
  #isClosed = false;
  /** For how many ticks nothing has arrived. */
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
      admit: (connectionId, admission) => this.#admit(connectionId, admission),
      lost: (position) => this.delivery.missed(name, position, this.#waiting),
    });
  }

  /** @returns how many it reached; a promise when it has to wait for its turn */
  arrive(publication: Publication, epoch: string): number | Promise<number> {
    this.idleTicks = 0;
    let reached: number | undefined;
    let served = (count: number): void => void (reached = count);
    this.#feed.arrive(publication, epoch, (count) => served(count));
    void this.#read();
    return reached ?? new Promise((resolve) => (served = resolve));
  }

  /** From now on the connection gets nothing until it has entered. */
  hold(connectionId: string): void {
    this.#feed.hold(connectionId);
  }

  /**
   * Of a connection that is about to enter only the last entry counts; those before it settle with it.
   * @returns nothing when the connection is in, else a promise for whether it came in before it left; it rejects when nothing can be read
   */
  enter(
    connectionId: string,
    asked: StreamPosition | undefined,
    admit: PendingStart['admit'],
  ): Promise<boolean> | undefined {
    let isSettled = false;
    const before = this.#entrants.get(connectionId);
    const entrant: PendingStart = {
      admit,
      settle: (isIn, error) => {
        isSettled = true;
        before?.settle(isIn, error);
      },
    };
    this.#entrants.set(connectionId, entrant);
    this.#feed.enter(connectionId, asked);
    void this.#read();
    if (isSettled) return undefined;
    return new Promise((resolve, reject) => {
      entrant.settle = (isIn, error) => {
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

  /** Nobody is left: what is under way comes to nothing. */
  close(): void {
    this.#isClosed = true;
  }

  /** Looks into the history whether something was missed. @returns a promise for when that is done, or nothing when it is */
  check(): Promise<void> | undefined {
    this.idleTicks = 0;
    this.#feed.doubt();
    return this.#read();
  }

  /** Called every second: reads what could not be read before, and lets go what nobody has asked for since. */
  tick(): void {
    this.idleTicks += 1;
    this.#frames.clear();
    void this.#read();
  }

  /** Reads for as long as something is wanted, one read after the other. The promise does not reject. */
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

  /** A page that does not come as far as the latest publication is accompanied by it, where newcomers get that. */
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

  #admit(connectionId: string, { publications, ...admission }: StreamStart): void {
    const frames = publications.map((publication) => this.#framesOf(publication));
    const length = frames.reduce((sum, each) => sum + each.textBytes, 0);
    try {
      this.#entrants.get(connectionId)?.admit({ ...admission, frames, length });
      this.#settle(connectionId, true);
    } catch (error) {
      this.#settle(connectionId, false, error);
    }
  }

  #framesOf(publication: Publication): MessageFrames {
    const { offset, text } = publication;
    let frames = this.#frames.get(offset);
    if (frames?.text !== text) this.#frames.set(offset, (frames = new MessageFrames(text, this.name, offset)));
    return frames;
  }

  #settle(connectionId: string, isIn: boolean, error?: unknown): void {
    const entrant = this.#entrants.get(connectionId);
    if (entrant === undefined) return;
    this.#entrants.delete(connectionId);
    entrant.settle(isIn, error);
  }
}

const NOBODY: readonly Address[] = [];
