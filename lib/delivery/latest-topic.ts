import { updateIntervalOf } from '../core/pace/delivery-options.js';
import { LatestReaders, type Taking } from '../core/pace/latest-readers.js';
import type { StreamPosition } from '../core/history/history.js';
import { topic, type Address } from '../core/routing/address.js';
import type { Envelope, MessageContent } from '../core/routing/envelope.js';
import { Exceptions } from '../core/routing/exceptions.js';
import { SafeLogger } from '../errors/safe-logger.js';
import { GAP_KEY, keyOf, type LatestUpdate } from './latest-update.js';
import type { MessageFrames } from './message-frames.js';
import type { PacedNode } from './paced-node.js';
import { ReaderPasses } from './reader-passes.js';
import { WindowTimers } from './window-timers.js';

/** The size that is counted for each kept message on top of its text, in bytes. */
const UPDATE_BYTES = 256;

/** The size that is counted in a hold for a reader that goes on later, in bytes. */
const RESUME_BYTES = 64;

/** The multiple of the bound of kept bytes above which readers are served at once, by the publisher, and not in slices. */
export const URGENT = 2;

const logger = new SafeLogger('LocalDelivery');

/**
 * A topic that gives each reader the latest message of each key, as fast as it can take them. {@link LatestReaders} decides who
 * gets what; this class writes, waits for sockets, and keeps the time.
 */
export class LatestTopic {
  readonly #readers: LatestReaders<LatestUpdate>;
  readonly #passes: ReaderPasses;
  readonly #timers: WindowTimers;
  readonly #to: readonly Address[];
  #isFlushing = false;
  #isRelieving = false;
  #sent = 0;
  /** The bytes that {@link keeps} was told of. */
  #kept = 0;

  /**
   * @param maxRateHz maximum number of updates of a reader per second
   * @param maxBytes most bytes of messages that may wait for one reader
   * @param keeps called when it keeps more or less for readers that are behind, with the difference in bytes
   */
  constructor(
    private readonly name: string,
    private readonly node: PacedNode,
    private readonly maxRateHz: number | undefined,
    private readonly maxBytes: number,
    private readonly keeps: (more: number) => void,
  ) {
    this.#to = [topic(name)];
    const readers = new LatestReaders<LatestUpdate>({
      offer: (id, update) => this.#offer(id, update),
      beginWindow: (window) => this.#timers.begin(window, () => this.#windowEnded(readers.endWindow(window))),
      cancelWindow: (window) => this.#timers.cancel(window),
    });
    this.#readers = readers;
    this.#timers = new WindowTimers(readers.sealWindows);
    this.#passes = new ReaderPasses(node.fanOuts, {
      ready: readers.ready,
      get updates() {
        return readers.keys;
      },
      serve: (id) => this.#serve(id),
      passed: () => this.#count(),
    });
  }

  get isEmpty(): boolean {
    return this.#readers.size === 0;
  }

  /** The size of the messages that are kept for readers that are behind, in bytes. */
  get bytes(): number {
    return this.#readers.bytes;
  }

  /**
   * Adds a reader, which gets what comes from now on.
   * @param askedHz the rate that it asked for; if omitted, that of an existing reader stays
   * @param recovers true: an existing reader gets what it has missed from the history, so that nothing waits for it any more
   */
  enter(id: string, askedHz: number | undefined, recovers = false): void {
    const isKnown = this.#readers.has(id);
    if (isKnown && recovers) this.#readers.skip(id);
    if (isKnown && askedHz === undefined) return;
    if (this.#readers.enter(id, updateIntervalOf(this.maxRateHz, askedHz))) this.#serve(id);
    this.#count();
  }

  leave(id: string): void {
    this.#readers.leave(id);
    this.#count();
  }

  /** Gives a reader what waits for it, whether or not its interval is over, unless its socket is blocked. */
  settle(id: string): void {
    this.#serve(id, true);
    this.#count();
  }

  /** Gives a reader all that waits for it, also while its socket is blocked: something else is written to it next, which is newer. */
  flush(id: string): void {
    this.#isFlushing = true;
    this.#readers.resume(id);
    this.#serve(id, true);
    this.#isFlushing = false;
    this.#count();
  }

  /**
   * Tells readers that publications are lost for good, in place of all that waits for them, which is older.
   * @param position where the topic continues
   */
  lost(position: StreamPosition, except: readonly Address[]): void {
    this.#readers.skipAll();
    this.#readers.change(GAP_KEY, { gap: position, except: this.#exceptionsOf(except) }, UPDATE_BYTES);
    this.#passes.pass();
    this.#count();
  }

  /** @returns how many readers it was accepted for; a promise for a volatile message to many */
  deliver(
    content: MessageContent,
    envelope: Pick<Envelope, 'except'>,
    frames: MessageFrames,
    leftOut: ((connections: number) => void) | undefined,
  ): number | Promise<number> {
    const addresses = envelope.except.length === 0 ? NOBODY : envelope.except.filter(this.#concerns);
    const except = this.#exceptionsOf(addresses);
    const update = { frames, except };
    if (content.volatile) return this.#deliverOnce(update, leftOut);
    const key = keyOf(content, addresses);
    this.#readers.change(key, update, frames.textBytes + key.length + UPDATE_BYTES);
    this.#passes.pass();
    if (this.#readers.bytes > this.maxBytes) this.#keepLess();
    this.#count();
    return this.#meant(except);
  }

  #keepLess(): void {
    const { maxBytes } = this;
    const isUrgent = this.#readers.bytes > maxBytes * URGENT;
    if (this.#isRelieving && !isUrgent) return;
    const done = this.relieve(maxBytes, isUrgent);
    if (done === undefined) return;
    this.#isRelieving = true;
    void done.then(() => (this.#isRelieving = false));
  }

  /**
   * Gives everybody what they can take, and then closes the connections that are furthest behind until no more than so much is
   * kept; both in slices, if they are many.
   * @param maxBytes in bytes
   * @param isUrgent true: at once, because more is kept than may wait for slices
   * @returns a promise for the end; nothing if it is over
   */
  relieve(maxBytes: number, isUrgent = false): Promise<void> | undefined {
    const done = this.#passes.each(this.#readers.all, (id) => this.#serve(id, true), isUrgent);
    return done ? done.then(() => this.#closeFurthest(maxBytes, false)) : this.#closeFurthest(maxBytes, isUrgent);
  }

  #closeFurthest(maxBytes: number, isUrgent: boolean): Promise<void> | undefined {
    const readers = this.#readers;
    const change = readers.leaving(maxBytes);
    const close = (id: string): void => {
      // It may be able to take what waits for it by now.
      this.#serve(id, true);
      if (!readers.isBefore(id, change)) return;
      this.node.meter.slowCloses += 1;
      this.node.targets.get(id)?.disconnect('SLOW', SLOW_REASON);
      readers.leave(id);
    };
    const closed = (): undefined => {
      readers.forget();
      this.#count();
    };
    const done = this.#passes.each(readers.before(change), close, isUrgent);
    return done ? done.then(closed) : closed();
  }

  /** Gives a message to those who can take it at once, and keeps it for nobody. */
  #deliverOnce(update: LatestUpdate, leftOut: ((connections: number) => void) | undefined): number | Promise<number> {
    const meant = this.#meant(update.except);
    let taken = 0;
    const done = this.#passes.each(this.#readers.ready, (id) => {
      this.#serve(id);
      if (!this.#takesAtOnce(id) || this.#offer(id, update) !== 'taken') return;
      taken += 1;
      this.#readers.pause(id);
    });
    const result = (): number => {
      this.#count();
      this.node.meter.leftOut += meant - taken;
      if (taken < meant) leftOut?.(meant - taken);
      return taken;
    };
    return done ? done.then(result) : result();
  }

  #takesAtOnce(id: string): boolean {
    const { ready } = this.#readers;
    if (!ready.has(id) || !this.#readers.isCurrent(id) || this.node.held.of(this.name).has(id)) return false;
    try {
      return this.node.targets.get(id)?.socket.written() === undefined;
    } catch {
      return false;
    }
  }

  /** The number of readers that a message with these exceptions is for. */
  #meant(except: Exceptions | undefined): number {
    const { size, all } = this.#readers;
    if (except === undefined) return size;
    let count = 0;
    for (const id of all.keys()) if (!except.has(id)) count += 1;
    return count;
  }

  #exceptionsOf(except: readonly Address[]): Exceptions | undefined {
    return except.length === 0 ? undefined : new Exceptions(except, this.node.index);
  }

  /** False for a connection that is no reader here. */
  readonly #concerns = (address: Address): boolean => address.kind !== 'connection' || this.#readers.has(address.id);

  #windowEnded(behind: ReadonlySet<string>): void {
    if (behind.size > 0) this.#passes.pass(behind);
  }

  #serve(id: string, inHaste = false): void {
    this.node.meter.replaced += this.#readers.serve(id, inHaste);
  }

  /** Isolates failures: one failing socket never prevents delivery to the others. */
  #offer(id: string, { frames, gap, except }: LatestUpdate): Taking {
    const target = this.node.targets.get(id);
    if (target === undefined) return 'gone';
    if (except?.has(id)) return 'passed';
    if (this.#isHeld(id)) return 'blocked';
    try {
      const { socket } = target;
      const written = this.#isFlushing ? undefined : socket.written();
      if (written !== undefined) {
        void written.then(() => this.#resume(id));
        return 'blocked';
      }
      if (frames) {
        socket.send(frames.for(socket.codec));
        this.#sent += 1;
      } else if (gap) {
        this.node.meter.dropped += 1;
        target.missed(this.name, gap);
      }
    } catch (error) {
      this.node.meter.dropped += 1;
      logger.error('Delivery to a connection failed', (error as Error)?.stack);
    }
    return 'taken';
  }

  /** True while the subscription is judged again: the reader goes on if it stays. */
  #isHeld(id: string): boolean {
    const { held } = this.node;
    const hold = held.isEmpty ? undefined : held.of(this.name).get(id);
    hold?.keep(() => this.#resume(id), RESUME_BYTES);
    return hold !== undefined;
  }

  #resume(id: string): void {
    // First of all, so that it is not closed for what it can take now.
    const isReady = this.#readers.resume(id);
    this.node.fanOuts.catchUp(id);
    if (!isReady) return;
    this.#serve(id);
    this.#count();
  }

  /** Counts what was sent, and what more is kept, since the last call. */
  #count(): void {
    if (this.#sent > 0) this.node.meter.sent(this.#to, this.#sent);
    this.#sent = 0;
    const more = this.#readers.bytes - this.#kept;
    this.#kept += more;
    if (more !== 0) this.keeps(more);
  }
}

const NOBODY: readonly Address[] = [];

const SLOW_REASON = 'slow consumer, more values wait than may';
