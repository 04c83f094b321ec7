import type { HistoryPage, Publication, StreamPosition } from './history.js';
import { catchUp, placeFor, type CatchUp, type CatchUpSettings, type EntryWish } from './catch-up.js';
import type { PublicationRun } from './publication-run.js';
import { RecentPublications } from './recent-publications.js';
import { inEpoch } from './recovery.js';

/** Settings of the members of a feed. */
export interface MemberSettings extends CatchUpSettings {
  /** The number of latest publications with which a member begins that does not recover; a member may ask for fewer. */
  readonly sendLast: number;
}

/** Publications for one member. Those of its next page follow them without a gap. */
export interface MemberPage {
  /** `start`: the first page. `more`: a further one. `lost`: publications before `position` cannot be recovered any more. */
  readonly kind: 'start' | 'more' | 'lost';
  /** Everything after this position arrives, beginning with `publications`. */
  readonly position: StreamPosition;
  readonly publications: readonly Publication[];
  /**
   * Present on the first page of a member that requested recovery: true if everything that it missed follows. False without a
   * request: publications between what the member had received and `position` cannot be recovered any more.
   */
  readonly recovered?: boolean;
  /** True if the member has caught up, so that live publications follow. */
  readonly isLast: boolean;
}

/** A member without live publications. */
interface Behind {
  readonly wish: EntryWish;
  /** The first live read after which the member may be served. */
  readonly fromRead: number;
  /** For a member that does not request recovery: the position up to which it has received everything, if it has been in before. */
  readonly had: StreamPosition | undefined;
  hasBegun: boolean;
  /** Its place, once that is decided. */
  place: CatchUp | undefined;
  /** A part of the stream that was read for it. */
  run: PublicationRun | undefined;
}

/** The members of a feed that receive no live publications: those that are held, and those that catch up. */
export class FeedMembers {
  /** By id; `undefined` for a member that is held before it enters. */
  readonly #behind = new Map<string, Behind | undefined>();
  /** Members that wait for a live read. */
  readonly #entering = new Set<string>();
  /** Members that wait for a page, in the order in which they have asked, with their places. */
  readonly #parked = new Map<string, StreamPosition>();
  readonly #recent: RecentPublications;
  /** The page that was read last: members that were away together come back together. */
  #latestRun: PublicationRun | undefined;
  #pageLimit: number;

  constructor(
    private readonly settings: MemberSettings,
    private readonly send: (memberId: string, page: MemberPage) => void,
    private readonly ready: (memberId: string) => void,
  ) {
    this.#recent = new RecentPublications(settings.pageSize);
    this.#pageLimit = settings.pageSize;
  }

  /** The number of publications to read for a page: as many as fit, by the size of those before. */
  get pageLimit(): number {
    return this.#pageLimit;
  }

  /** The members that receive nothing live. */
  get behind(): ReadonlyMap<string, unknown> {
    return this.#behind;
  }

  /** True if a member waits for a live read. */
  get hasEntering(): boolean {
    return this.#entering.size > 0;
  }

  /** The position after which a page is to be read next: that of the member that has waited longest. */
  get wanted(): StreamPosition | undefined {
    for (const position of this.#parked.values()) return position;
    return undefined;
  }

  /** The range for the first read of a feed, which also serves the first members. */
  get opening(): { readonly since?: number; readonly last: number } {
    for (const id of this.#entering) {
      const asked = this.#behind.get(id)?.wish.recover;
      if (asked) return { since: asked.offset, last: 0 };
    }
    return { last: Math.min(this.settings.sendLast, this.settings.pageSize) };
  }

  /** Holds a new member. */
  hold(id: string): void {
    this.#behind.set(id, undefined);
  }

  /**
   * A member that catches up, and enters again without a position, begins again where it is: what it has still to get is recovered.
   * @param fromRead the number of the first live read that may serve the member; 0 if none is needed
   * @param here for a live member, the position up to which it has received everything
   */
  enter(id: string, wish: EntryWish, fromRead: number, here?: StreamPosition): void {
    const before = this.#behind.get(id);
    const asksNothing = wish.recover === undefined;
    const place = before?.hasBegun && asksNothing ? before.place : undefined;
    this.#drop(id);
    const wished = place ? { ...wish, recover: place.at } : wish;
    // An entry that was replaced before its start has told the member of nothing.
    const known = before?.hasBegun === false ? (before.had ?? before.wish.recover) : undefined;
    const had = asksNothing ? (here ?? known) : undefined;
    this.#behind.set(id, { wish: wished, fromRead, had, hasBegun: false, place, run: undefined });
    if (fromRead > 0) this.#entering.add(id);
  }

  leave(id: string): void {
    this.#drop(id);
    this.#behind.delete(id);
    this.#trimRecent();
  }

  /**
   * Sends a member its next page, if that is known.
   * @param here the position up to which the others have everything
   * @returns false if it has to wait until it is ready
   */
  serve(id: string, here: StreamPosition | undefined): boolean {
    const member = this.#behind.get(id);
    if (member === undefined) return true;
    if (here === undefined || this.#entering.has(id)) return false;
    const { wish, run } = member;
    const last = Math.min(wish.last, this.settings.sendLast);
    const place = member.place ?? placeFor({ ...wish, last }, here, this.settings.recoverLimit);
    const step = catchUp(place, here, last, [this.#recent.run, run, this.#latestFor(place.at, here)], this.settings);
    member.run = undefined;
    if (step.kind === 'read') {
      member.place = step.place;
      this.#parked.set(id, step.place.at);
      return false;
    }
    const { position, publications, next } = step;
    const isFirst = !member.hasBegun;
    const isLoss = step.isLoss || (isFirst && isBeyond(position, member.had));
    member.hasBegun = true;
    member.place = next;
    if (next === undefined) this.leave(id);
    this.send(id, {
      kind: isFirst ? 'start' : isLoss ? 'lost' : 'more',
      position,
      publications,
      ...(isFirst && (wish.recover || isLoss) && { recovered: !isLoss }),
      isLast: next === undefined,
    });
    return true;
  }

  /** Keeps a publication that was delivered to the others. */
  delivered(publication: Publication, position: StreamPosition): void {
    if (this.#behind.size === 0 && this.settings.sendLast === 0) return;
    this.#recent.add(publication, position);
    this.#trimRecent();
  }

  /** Drops what can be read again, but for the latest publication where every new member gets it. */
  forget(): void {
    this.#latestRun = undefined;
    if (this.#behind.size === 0) this.#recent.trim(Math.min(1, this.settings.sendLast));
  }

  /** The others go on at another place, so what was delivered before leads nowhere. */
  moved(): void {
    this.#recent.clear();
    this.#latestRun = undefined;
    // There may be no publication left at the place where they wait.
    this.#wake(this.#parked.keys());
  }

  /** Lets the members go on that have waited for this live read. */
  afterRead(read: number): void {
    const due = [...this.#entering].filter((id) => this.#behind.get(id)!.fromRead <= read);
    for (const id of due) this.#entering.delete(id);
    this.#wake(due);
  }

  /** Takes a part of the stream that was read. Members that it serves are ready. */
  offer(run: PublicationRun, here: StreamPosition): void {
    if (run.epoch !== here.epoch) return;
    const isEmpty = run.publications.length === 0;
    if (!isEmpty) this.#latestRun = run;
    this.#pageLimit = limitFor(run.publications, this.settings);
    if (run.publications.at(-1)?.offset === here.offset) this.#recent.adopt(run);
    this.#trimRecent();
    const end = run.publications.at(-1)?.offset ?? run.after;
    for (const [id, at] of this.#parked) {
      const isServed =
        at.epoch === run.epoch && (at.offset === run.after || (at.offset > run.after && at.offset < end));
      if (!isServed) continue;
      this.#behind.get(id)!.run = run;
      this.#wake([id]);
    }
    // An empty page says nothing about those that have come since.
    if (!isEmpty) for (const id of this.#entering) this.#behind.get(id)!.run = run;
  }

  /** Removes the members that wait for a failed read and have not begun. @returns their ids */
  fail(read: number): readonly string[] {
    const failed = [...this.#behind].filter(([id, member]) => {
      if (member === undefined || member.hasBegun) return false;
      return this.#parked.has(id) || (this.#entering.has(id) && member.fromRead <= read);
    });
    for (const [id] of failed) this.leave(id);
    return failed.map(([id]) => id);
  }

  /** Returns the page that was read last, unless a read would give the member a longer page. */
  #latestFor({ offset }: StreamPosition, here: StreamPosition): PublicationRun | undefined {
    const end = this.#latestRun?.publications.at(-1)?.offset ?? 0;
    return end >= Math.min(here.offset, offset + this.#pageLimit) ? this.#latestRun : undefined;
  }

  #wake(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#parked.delete(id);
      this.ready(id);
    }
  }

  #drop(id: string): void {
    this.#entering.delete(id);
    this.#parked.delete(id);
  }

  #trimRecent(): void {
    if (this.#behind.size === 0) this.#recent.trim(this.settings.sendLast);
  }
}

/** True if a member that had received everything up to a position would miss something by beginning after this one. */
function isBeyond({ epoch, offset }: StreamPosition, had: StreamPosition | undefined): boolean {
  if (had === undefined) return false;
  const known = inEpoch(had, epoch);
  return known.epoch !== epoch || offset > known.offset;
}

/** Returns the number of publications of this size that fit one page. */
function limitFor(publications: readonly Publication[], { pageSize, pageBytes }: MemberSettings): number {
  const length = publications.reduce((sum, { text }) => sum + text.length, 0);
  const count = length === 0 ? pageSize : Math.ceil((pageBytes * publications.length) / length);
  return Math.min(pageSize, Math.max(1, count));
}

/** Returns the part of a stream that a page shows. @param since the offset after which it was read; undefined for the latest, in reverse */
export function runIn({ top, publications }: HistoryPage, since: number | undefined): PublicationRun {
  if (since !== undefined) return { epoch: top.epoch, after: since, publications };
  const ordered = publications.toReversed();
  return { epoch: top.epoch, after: (ordered[0]?.offset ?? top.offset + 1) - 1, publications: ordered };
}
