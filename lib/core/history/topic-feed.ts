import type { HistoryPage, HistoryRange, Publication, StreamPosition } from './history.js';
import { inEpoch, placeOf, recover } from './recovery.js';

/** The start of a member's stream: the position from which it receives everything. */
export interface StreamStart {
  /** Everything after this position arrives, beginning with `publications`. */
  readonly position: StreamPosition;
  /** Present if recovery was requested: true if `publications` are all that was missed. */
  readonly recovered?: boolean;
  /** The position of the stream. */
  readonly top: StreamPosition;
  /** The publications to send before live ones: those that were missed, or the latest one with `sendLatest`. */
  readonly publications: readonly Publication[];
}

/** The effects of a feed on its members. They must not call the feed. */
export interface FeedEffects {
  /** Delivers a publication to all members that are not waiting. @returns the number of members reached */
  deliver(publication: Publication, position: StreamPosition): number;
  /** Starts the stream of a waiting member. */
  start(memberId: string, start: StreamStart): void;
  /** Tells all members that are not waiting that publications were lost for good, and where the stream continues. */
  lost(position: StreamPosition): void;
}

/** Settings of a feed. */
export interface FeedSettings {
  /** Maximum number of publications per read; a member that missed more cannot recover. */
  readonly pageSize: number;
  /** Sends the latest publication to new members. */
  readonly sendLatest: boolean;
}

/** A publication that arrived from the bus out of order, too early. */
interface Early {
  readonly publication: Publication;
  readonly epoch: string;
  /** The read by which it must be delivered or dropped. */
  readonly read: number;
  readonly served: (reached: number) => void;
}

interface Waiting {
  readonly asked: StreamPosition | undefined;
  /** The first read that may serve the member: one that began after it entered. */
  readonly read: number;
}

/** State of a member that is held before it enters: no read serves it. */
const HELD: Waiting = { asked: undefined, read: Infinity };

/** Maximum number of early publications. Beyond it, they are dropped and read from the store instead. */
const MAX_EARLY = 4_096;

/**
 * Orders the publications of one topic with history on one node. Members get each publication exactly once and in stream
 * order, even if the bus drops, repeats or reorders messages. A member that enters later gets what was read from the store
 * and what arrives from the bus without a gap or a duplicate between them.
 *
 * The feed does no I/O. While {@link wanted} returns a range, the owner performs one read after the other and passes each
 * page to {@link take}.
 */
export class TopicFeed {
  /** Position up to which everything was delivered. Unknown until the first page. */
  #delivered: StreamPosition | undefined;
  readonly #waiting = new Map<string, Waiting>();
  #early: Early[] = [];
  /** Publications delivered while a member waits. */
  #recent: Publication[] = [];
  #latest: { readonly publication: Publication; readonly epoch: string } | undefined;
  #reads = 0;
  #isUnsure = false;

  constructor(
    private readonly settings: FeedSettings,
    private readonly effects: FeedEffects,
  ) {}

  /** Members that receive nothing yet. */
  get waiting(): ReadonlyMap<string, unknown> {
    return this.#waiting;
  }

  /** The range to read next, or `undefined` if no read is needed. */
  get wanted(): HistoryRange | undefined {
    if (!this.#isUnsure && this.#early.length === 0 && !this.#hasEntering) return undefined;
    const since = this.#from();
    if (since === undefined) return { limit: this.settings.sendLatest ? 1 : 0, reverse: true };
    // However far back the read begins, it extends a page beyond the delivered position.
    return { limit: this.settings.pageSize + ((this.#delivered?.offset ?? since) - since), since };
  }

  /**
   * Accepts a publication from the bus.
   * @param served called with the number of members reached: at once, or after the gap before the publication was closed
   */
  arrive(publication: Publication, epoch: string, served: (reached: number) => void): void {
    const position = { epoch, offset: publication.offset };
    const place = this.#delivered && this.#early.length === 0 ? placeOf(position, this.#delivered) : 'beyond';
    if (place === 'next') this.#deliver(publication, epoch, served);
    else if (place === 'known') served(0);
    else this.#keep({ publication, epoch, read: this.#reads + 1, served });
  }

  /** Adds a member that receives nothing until it enters. */
  hold(memberId: string): void {
    this.#waiting.set(memberId, HELD);
  }

  /**
   * Lets a member enter, which receives everything from now on, or from its earlier position. Call it once the node
   * receives the topic from the bus.
   * @param asked the earlier position, if the member requests recovery; an empty epoch stands for the current one
   */
  enter(memberId: string, asked: StreamPosition | undefined): void {
    this.#waiting.set(memberId, { asked, read: this.#reads + 1 });
    const { sendLatest } = this.settings;
    const here = this.#delivered;
    if (here === undefined || this.#early.length > 0 || this.#isUnsure) return;
    if (
      asked
        ? isSame(inEpoch(asked, here.epoch), here)
        : !sendLatest || this.#latestAt(here) !== undefined || here.offset === 0
    ) {
      this.#start(memberId, asked);
    }
  }

  /** Removes a member. */
  leave(memberId: string): void {
    this.#waiting.delete(memberId);
    if (this.#waiting.size === 0) this.#recent = [];
  }

  /** Records that publications may have been missed, so that a read is needed. */
  doubt(): void {
    this.#isUnsure = true;
  }

  /** Records the start of the read of the {@link wanted} range. */
  begin(): void {
    this.#reads += 1;
    this.#isUnsure = false;
  }

  /** Records that the read failed. @returns the members that waited for it, which are removed */
  fail(): readonly string[] {
    const failed = [...this.#waiting].filter(([, { read }]) => read <= this.#reads).map(([memberId]) => memberId);
    for (const memberId of failed) this.leave(memberId);
    this.#isUnsure = true;
    return failed;
  }

  /**
   * Accepts the page that was read.
   * @param latest the latest publication, if it is not the last one of the page
   */
  take(page: HistoryPage, latest: Publication | undefined = page.publications.at(-1)): void {
    const { top, publications } = page;
    if (latest?.offset === top.offset) this.#latest = { publication: latest, epoch: top.epoch };
    this.#delivered = this.#delivered ? inEpoch(this.#delivered, top.epoch) : top;
    if (this.#isBehind(top)) this.#follow(page);
    this.#serveEarly();
    if (this.#isBehind(top)) this.doubt();
    else this.#startServed(publications);
  }

  get #hasEntering(): boolean {
    // Called every second for every topic; almost always there are no waiting subscribers.
    if (this.#waiting.size === 0) return false;
    for (const { read } of this.#waiting.values()) if (read !== Infinity) return true;
    return false;
  }

  /** Returns the offset at which a read serves every member; at most one page back, so that one member does not delay the others. */
  #from(): number | undefined {
    const here = this.#delivered;
    let from = here?.offset;
    for (const { asked } of this.#waiting.values()) {
      if (!asked || (here && !this.#isWithinReach(asked, here))) continue;
      if (from === undefined || asked.offset < from) from = asked.offset;
    }
    return from;
  }

  #isWithinReach(asked: StreamPosition, here: StreamPosition): boolean {
    return inEpoch(asked, here.epoch).epoch === here.epoch && here.offset - asked.offset <= this.settings.pageSize;
  }

  #isBehind(top: StreamPosition): boolean {
    const { epoch, offset } = this.#delivered!;
    return epoch !== top.epoch || offset < top.offset;
  }

  /** Delivers the page. A gap before it is reported as lost. */
  #follow({ top, publications }: HistoryPage): void {
    const { epoch, offset } = this.#delivered!;
    const isNewEpoch = epoch !== top.epoch;
    const early = this.#firstEarly(top.epoch);
    // Older data may have come back, and members may have received what it holds: only what has arrived since is new.
    const from = isNewEpoch ? (early ?? top.offset + 1) : offset + 1;
    const ahead = publications.filter((publication) => publication.offset >= from);
    const next = ahead[0]?.offset ?? early;
    if (isNewEpoch || next !== offset + 1) {
      this.#delivered = { epoch: top.epoch, offset: next === undefined ? top.offset : next - 1 };
      this.#recent = [];
      this.effects.lost(this.#delivered);
    }
    for (const publication of ahead) this.#deliver(publication, top.epoch, this.#takeEarly(publication, top.epoch));
  }

  /** Removes the early copy of a publication that a page delivers, so that its sender gets the count. */
  #takeEarly({ offset }: Publication, epoch: string): Early['served'] | undefined {
    const at = this.#early.findIndex((early) => early.publication.offset === offset && early.epoch === epoch);
    return at < 0 ? undefined : this.#early.splice(at, 1)[0]!.served;
  }

  /** Returns the lowest offset of the early publications of this epoch that are not delivered yet. */
  #firstEarly(epoch: string): number | undefined {
    const here = this.#delivered!;
    let first: number | undefined;
    for (const { publication, epoch: of } of this.#early) {
      const { offset } = publication;
      if (of !== epoch || (epoch === here.epoch && offset <= here.offset)) continue;
      if (first === undefined || offset < first) first = offset;
    }
    return first;
  }

  #deliver(publication: Publication, epoch: string, served?: Early['served']): void {
    this.#delivered = { epoch, offset: publication.offset };
    if (this.#waiting.size > 0) this.#recent.push(publication);
    if (this.settings.sendLatest) this.#latest = { publication, epoch };
    const reached = this.effects.deliver(publication, this.#delivered);
    served?.(reached);
  }

  #keep(early: Early): void {
    if (this.#early.length >= MAX_EARLY) {
      for (const { served } of this.#early) served(0);
      this.#early = [];
    }
    this.#early.push(early);
  }

  /** Delivers early publications that are next. One that even a later read does not lead up to belongs to no existing stream and is dropped. */
  #serveEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const entry of early) {
      const { publication, epoch, read, served } = entry;
      const place = placeOf({ epoch, offset: publication.offset }, this.#delivered!);
      if (place === 'next') this.#deliver(publication, epoch, served);
      else if (place === 'beyond' && read > this.#reads) this.#early.push(entry);
      else served(0);
    }
  }

  #startServed(read: readonly Publication[]): void {
    const here = this.#delivered!;
    const first = read[0]?.offset ?? Infinity;
    const known = [...read, ...this.#recent.filter(({ offset }) => offset > (read.at(-1)?.offset ?? 0))];
    const isCutShort = known.length > 0 && known.at(-1)!.offset < here.offset;
    for (const [memberId, { asked, read: after }] of this.#waiting) {
      if (after > this.#reads) continue;
      // A read that began further back for another member may have ended before the range that this member needs.
      if (asked && isCutShort && asked.offset + 1 >= first && this.#isWithinReach(asked, here)) continue;
      this.#start(memberId, asked, known);
    }
    if (this.#waiting.size === 0) this.#recent = [];
  }

  #start(memberId: string, wished: StreamPosition | undefined, known: readonly Publication[] = []): void {
    this.leave(memberId);
    const position = this.#delivered!;
    const asked = wished && inEpoch(wished, position.epoch);
    const recovery = asked && recover(asked, known, position);
    if (recovery?.recovered) {
      return this.effects.start(memberId, {
        position: asked!,
        recovered: true,
        top: position,
        publications: recovery.publications,
      });
    }
    const latest = this.settings.sendLatest ? this.#latestAt(position) : undefined;
    const publications = latest ? [latest] : [];
    this.effects.start(memberId, { position, ...(asked && { recovered: false }), top: position, publications });
  }

  #latestAt({ epoch, offset }: StreamPosition): Publication | undefined {
    const latest = this.#latest;
    return latest?.epoch === epoch && latest.publication.offset === offset ? latest.publication : undefined;
  }
}

function isSame(a: StreamPosition, b: StreamPosition): boolean {
  return a.epoch === b.epoch && a.offset === b.offset;
}
