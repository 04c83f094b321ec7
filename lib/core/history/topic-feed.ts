import type { HistoryPage, HistoryRange, Publication, StreamPosition } from './history.js';
import type { EntryWish } from './catch-up.js';
import { FeedMembers, runIn, type MemberPage, type MemberSettings } from './feed-members.js';
import { inEpoch, placeOf } from './recovery.js';

/** The effects of a feed on its members. */
export interface FeedEffects {
  /** Delivers a publication to all members that are not behind. @returns the number of members reached */
  deliver(publication: Publication, position: StreamPosition): number;
  /** Sends a member its next page. */
  send(memberId: string, page: MemberPage): void;
  /** The page that a member waits for is known: {@link TopicFeed.serve} it when it can take a page. */
  ready(memberId: string): void;
  /** Tells all members that are not behind that publications were lost for good, and where the stream continues. */
  lost(position: StreamPosition): void;
}

/** A publication that arrived from the bus out of order, too early. */
interface Early {
  readonly publication: Publication;
  readonly epoch: string;
  /** The read by which it must be delivered or dropped. */
  readonly read: number;
  readonly served: (reached: number) => void;
}

/** Maximum number of early publications. Beyond it, they are dropped and read from the store instead. */
const MAX_EARLY = 4_096;

/**
 * Orders the publications of one topic with history on one node. Members get each publication exactly once and in stream
 * order, even if the bus drops, repeats or reorders messages. A member that enters later catches up page by page, each when it
 * is served, and joins the others without a gap or a duplicate. Meanwhile the feed keeps a bounded number of publications for
 * it; the others are read from the store again.
 *
 * The feed does no I/O. While {@link wanted} returns a range, the owner performs one read after the other and passes each
 * page to {@link take}.
 */
export class TopicFeed {
  /** Position up to which everything was delivered. Unknown until the first page. */
  #delivered: StreamPosition | undefined;
  readonly #members: FeedMembers;
  #early: Early[] = [];
  #reads = 0;
  /** The offset after which the page of the present read begins; `undefined` for a live read. */
  #pageAfter: number | undefined;
  /** The range of the present read. */
  #range: HistoryRange = { limit: 0 };
  #wasLive = false;
  #isUnsure = false;

  constructor(
    private readonly settings: MemberSettings,
    private readonly effects: FeedEffects,
  ) {
    this.#members = new FeedMembers(
      settings,
      (memberId, page) => effects.send(memberId, page),
      (memberId) => effects.ready(memberId),
    );
  }

  /** Members that receive nothing live. */
  get behind(): ReadonlyMap<string, unknown> {
    return this.#members.behind;
  }

  /** The range to read next, or `undefined` if no read is needed. */
  get wanted(): HistoryRange | undefined {
    if (this.#isLiveNext) return this.#liveRange;
    const after = this.#members.wanted;
    return after && { limit: this.#members.pageLimit, since: after.offset };
  }

  /** Live reads and pages take turns, so that neither delays the other. */
  get #isLiveNext(): boolean {
    return this.#needsLive && (!this.#wasLive || this.#members.wanted === undefined);
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

  /** Adds a new member, which receives nothing until it enters. A member that has begun already is not held. */
  hold(memberId: string): void {
    this.#members.hold(memberId);
  }

  /**
   * Lets a member enter, which receives everything from now on, or from its earlier position. Call it once the node
   * receives the topic from the bus. A member that has begun may enter again: nothing is left out between what it has received and
   * its new start.
   */
  enter(memberId: string, wish: EntryWish): void {
    const here = this.#delivered;
    const isLive = here !== undefined && !this.behind.has(memberId);
    const isSure = here !== undefined && this.#early.length === 0 && !this.#isUnsure;
    // A live member has received everything up to here, so it does not wait for what a read finds: that follows.
    const isServed = wish.recover === undefined ? isSure || isLive : isSure && !isAheadOf(here, wish.recover);
    this.#members.enter(memberId, wish, isServed ? 0 : this.#reads + 1, isLive ? here : undefined);
    this.serve(memberId);
  }

  /**
   * Sends a member that is behind its next page.
   * @returns false if it has to wait for a read, until it is ready; true if it has got a page, or needs none
   */
  serve(memberId: string): boolean {
    return this.#members.serve(memberId, this.#delivered);
  }

  /** Removes a member. */
  leave(memberId: string): void {
    this.#members.leave(memberId);
  }

  /** Drops what can be read again; call it periodically. */
  forget(): void {
    this.#members.forget();
  }

  /** Ends the feed: nobody is reached by the publications that came too early. */
  close(): void {
    for (const { served } of this.#early) served(0);
    this.#early = [];
  }

  /** Records that publications may have been missed, so that a read is needed. */
  doubt(): void {
    this.#isUnsure = true;
  }

  /** Records the start of the read of the {@link wanted} range. */
  begin(): void {
    const isLive = this.#isLiveNext;
    this.#range = this.wanted ?? { limit: 0 };
    this.#wasLive = isLive;
    this.#pageAfter = isLive ? undefined : this.#range.since;
    if (!isLive) return;
    this.#reads += 1;
    this.#isUnsure = false;
  }

  /** Records that the read failed. @returns the members that waited for it and had not begun, which are removed */
  fail(): readonly string[] {
    if (this.#pageAfter === undefined) this.#isUnsure = true;
    return this.#members.fail(this.#reads);
  }

  /** Accepts the page that was read. */
  take(page: HistoryPage): void {
    if (this.#pageAfter === undefined) return this.#takeLive(page);
    const here = this.#delivered!;
    if (page.top.epoch === here.epoch) this.#members.offer(runIn(page, this.#pageAfter), here);
    else this.doubt();
  }

  #takeLive(page: HistoryPage): void {
    const { top } = page;
    const isFirst = this.#delivered === undefined;
    this.#delivered = this.#delivered ? inEpoch(this.#delivered, top.epoch) : top;
    if (this.#isBehind(top)) this.#follow(page);
    this.#serveEarly();
    if (this.#isBehind(top)) return this.doubt();
    if (isFirst) this.#members.offer(runIn(page, this.#range.since), this.#delivered);
    this.#members.afterRead(this.#reads);
  }

  /** Called every second for every topic; almost always nothing is needed. */
  get #needsLive(): boolean {
    return this.#isUnsure || this.#early.length > 0 || this.#members.hasEntering;
  }

  get #liveRange(): HistoryRange {
    const { pageSize } = this.settings;
    if (this.#delivered) return { limit: pageSize, since: this.#delivered.offset };
    const { since, last } = this.#members.opening;
    return since === undefined ? { limit: last, reverse: true } : { limit: pageSize, since };
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
      this.#members.moved();
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
    this.#members.delivered(publication, this.#delivered);
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
}

/** True if a client may have more than was delivered here, because it comes from a node that is ahead of this one. */
function isAheadOf(here: StreamPosition, asked: StreamPosition | undefined): boolean {
  if (asked === undefined) return false;
  const { epoch, offset } = inEpoch(asked, here.epoch);
  return epoch !== here.epoch || offset > here.offset;
}
