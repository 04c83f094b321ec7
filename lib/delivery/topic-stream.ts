import { isPromise } from '../core/base/awaitable.js';
import { connection, topic, type Address } from '../core/routing/address.js';
import type { EntryWish } from '../core/history/catch-up.js';
import type { MemberPage } from '../core/history/feed-members.js';
import type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from '../core/history/history.js';
import { TopicFeed } from '../core/history/topic-feed.js';
import type { HistoryStore } from '../ports/history-store.js';
import { MessageFrames } from './message-frames.js';
import type { LocalDelivery } from './local-delivery.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** The history that a topic keeps. */
export interface StreamSettings {
  readonly retention: Retention;
  /** Maximum number of missed publications that a client recovers. */
  readonly recoverLimit: number;
  /** The number of latest publications that a new subscriber gets. */
  readonly sendLast: number;
  /** Maximum number of publications of one read, and of one page. */
  readonly pageSize: number;
  /** Maximum size of one page, in bytes; a single publication may exceed it. */
  readonly pageBytes: number;
}

/** Publications for one connection. */
export interface FramedPage extends Pick<MemberPage, 'position' | 'recovered' | 'publications'> {
  /** The publications as frames. */
  readonly frames: readonly MessageFrames[];
  /** The size of these messages in bytes. */
  readonly length: number;
}

/** The entry of a connection into the stream of a topic. */
export interface StreamEntry {
  readonly wish: EntryWish;
  /** Receives the first page, whose frames follow the confirmation of the subscription in the same turn. */
  readonly onStart: (page: FramedPage) => void;
  /** Receives each further page. Must not throw. */
  readonly onPage: (page: FramedPage) => void;
  /** Calls a function when the connection can take its next page, and again once the promise that it returns has been fulfilled. */
  readonly whenReady: (takePage: () => Promise<void> | undefined) => void;
}

/** A connection that is behind: it waits for its start, or catches up. */
interface Behind extends StreamEntry {
  /** @param isIn false when the connection has left before its start */
  settle: (isIn: boolean, error?: unknown) => void;
  /** Ends the wait for a page, while the connection has its turn. */
  wake: (() => void) | undefined;
}

const logger = new SafeLogger('TopicStreams');

/** A topic that keeps a history and has subscribers on this node. {@link TopicFeed} decides; this class reads and delivers. */
export class TopicStream {
  readonly #feed: TopicFeed;
  readonly #behind = new Map<string, Behind>();
  /** The frames of recent pages, by offset: subscribers that were away together come back together. */
  readonly #frames = new Map<number, MessageFrames>();
  #keptLength = 0;
  readonly #to: readonly Address[];
  /** The connections that are behind, as addresses; made when they are needed. */
  #withheld: readonly Address[] | undefined;
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
    this.#feed = new TopicFeed(
      { ...settings, sizeOf: (publication) => this.#framesOf(publication).textBytes },
      {
        deliver: (publication, position) => this.#deliver(publication, position),
        send: (connectionId, page) => this.#send(connectionId, page),
        ready: (connectionId) => this.#ready(connectionId),
        lost: (position) => this.delivery.missed(name, position, this.#except),
      },
    );
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
    this.#withheld = undefined;
    this.#feed.hold(connectionId);
  }

  /**
   * Starts delivery to a connection. When it enters again before its start, only the last entry counts, and the earlier ones
   * settle with it.
   * @returns nothing when the connection has entered, else a promise that fulfils with false when it left before it entered,
   * and rejects when the history cannot be read
   */
  enter(connectionId: string, entry: StreamEntry): Promise<boolean> | undefined {
    let isSettled = false;
    const before = this.#behind.get(connectionId);
    before?.wake?.();
    const behind: Behind = {
      ...entry,
      settle: (isIn, error) => {
        isSettled = true;
        before?.settle(isIn, error);
      },
      wake: undefined,
    };
    this.#behind.set(connectionId, behind);
    this.#withheld = undefined;
    this.#feed.enter(connectionId, entry.wish);
    void this.#read();
    if (isSettled) return undefined;
    return new Promise((resolve, reject) => {
      behind.settle = (isIn, error) => {
        if (error === undefined) resolve(isIn);
        else reject(error);
        before?.settle(isIn, error);
      };
    });
  }

  leave(connectionId: string): void {
    this.#withheld = undefined;
    this.#feed.leave(connectionId);
    this.#end(connectionId, false);
  }

  /** Ends the stream once no connection is left; the results of reads that are under way are dropped. */
  close(): void {
    this.#isClosed = true;
    this.#feed.close();
  }

  /** Reads the history for publications that were missed. @returns a promise when there is something to wait for */
  check(): Promise<void> | undefined {
    this.idleTicks = 0;
    this.#feed.doubt();
    return this.#read();
  }

  /** Called every second: retries a failed read, and drops what is kept of the last pages. */
  tick(): void {
    this.idleTicks += 1;
    this.#forgetFrames();
    this.#feed.forget();
    void this.#read();
  }

  /** Reads page by page until the feed needs nothing more. The promise never rejects. */
  #read(): Promise<void> | undefined {
    while (!this.#isReading && !this.#isClosed) {
      const { wanted } = this.#feed;
      if (wanted === undefined) return undefined;
      this.#feed.begin();
      const found = this.#find(wanted);
      if (isPromise(found)) {
        this.#isReading = true;
        return Promise.resolve(found).then(
          (later) => this.#found(later),
          (error: unknown) => this.#failed(error),
        );
      }
      this.#feed.take(found);
    }
    return undefined;
  }

  #found(found: HistoryPage): Promise<void> | undefined {
    this.#isReading = false;
    if (!this.#isClosed) this.#feed.take(found);
    return this.#read();
  }

  #failed(error: unknown): void {
    this.#isReading = false;
    if (this.#isClosed) return;
    logger.warn(`The history of a topic could not be read: ${(error as Error).message}`);
    this.#withheld = undefined;
    for (const connectionId of this.#feed.fail()) this.#end(connectionId, false, error);
  }

  #find(range: HistoryRange): HistoryPage | Promise<HistoryPage> {
    return this.history.read(this.name, range, this.settings.retention);
  }

  #deliver({ text, trace }: Publication, position: StreamPosition): number {
    const reached = this.delivery.deliver({
      to: this.#to,
      except: this.#except,
      content: { kind: 'message', text, position },
      ...(trace !== undefined && { trace }),
    });
    return typeof reached === 'number' ? reached : 0;
  }

  /** The connections that are behind. */
  get #except(): readonly Address[] {
    const { behind } = this.#feed;
    if (behind.size === 0) return NOBODY;
    return (this.#withheld ??= Array.from(behind.keys(), connection));
  }

  /** The page that the connection waits for is known: it goes on when it has its turn. */
  #ready(connectionId: string): void {
    const behind = this.#behind.get(connectionId);
    if (behind?.wake) behind.wake();
    else if (behind) this.#takeTurn(connectionId, behind);
  }

  #takeTurn(connectionId: string, behind: Behind): void {
    behind.whenReady(() => {
      // It may have left meanwhile, and entered again.
      if (this.#behind.get(connectionId) !== behind || this.#feed.serve(connectionId)) return undefined;
      const known = new Promise<void>((resolve) => {
        behind.wake = () => {
          behind.wake = undefined;
          resolve();
        };
      });
      void this.#read();
      return known;
    });
  }

  #send(connectionId: string, { kind, isLast, ...from }: MemberPage): void {
    const frames = from.publications.map((publication) => this.#framesOf(publication));
    const length = frames.reduce((sum, each) => sum + each.textBytes, 0);
    const page = { ...from, frames, length };
    const behind = this.#behind.get(connectionId);
    if (behind === undefined) return;
    if (isLast) this.#withheld = undefined;
    if (kind === 'lost') this.delivery.missedBy(connectionId, this.name, from.position);
    let failure: unknown;
    if (kind !== 'start') behind.onPage(page);
    else {
      try {
        behind.onStart(page);
      } catch (error) {
        failure = error;
      }
    }
    // It may have left meanwhile, and have begun to enter again.
    if (this.#behind.get(connectionId) !== behind) return;
    if (isLast || failure !== undefined) return this.#end(connectionId, failure === undefined, failure);
    if (kind === 'start') behind.settle(true);
    this.#takeTurn(connectionId, behind);
  }

  #framesOf(publication: Publication): MessageFrames {
    const { offset, text } = publication;
    let frames = this.#frames.get(offset);
    if (frames?.text === text) return frames;
    this.#keptLength += text.length;
    if (this.#keptLength > MAX_KEPT_LENGTH) this.#forgetFrames();
    this.#frames.set(offset, (frames = new MessageFrames(text, this.name, offset)));
    return frames;
  }

  #forgetFrames(): void {
    this.#frames.clear();
    this.#keptLength = 0;
  }

  /** The connection is no longer behind. */
  #end(connectionId: string, isIn: boolean, error?: unknown): void {
    const behind = this.#behind.get(connectionId);
    if (behind === undefined) return;
    this.#behind.delete(connectionId);
    behind.wake?.();
    behind.settle(isIn, error);
  }
}

const NOBODY: readonly Address[] = [];

/** Most characters of messages whose frames are kept. */
const MAX_KEPT_LENGTH = 1_048_576;
