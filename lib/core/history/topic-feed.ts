import type { HistoryPage, HistoryRange, Publication, StreamPosition } from './history.js';
import { inEpoch, placeOf, recover } from './recovery.js';

/** How a member enters a feed: where everything that it gets from then on begins. */
export interface StreamStart {
  /** Everything behind it arrives, `publications` first. */
  readonly position: StreamPosition;
  /** Only there when it was wished: whether `publications` are all that was missed. */
  readonly recovered?: boolean;
  /** Where the stream stands. */
  readonly top: StreamPosition;
  /** What comes before anything live: what was missed, or the latest one where a newcomer gets that. */
  readonly publications: readonly Publication[];
}

/** What a feed does to those who are fed. Nothing here may call the feed. */
export interface FeedEffects {
  /** Hands a publication to all members but those who wait. @returns how many it reached */
  deliver(publication: Publication, position: StreamPosition): number;
  /** Lets one in who has waited. */
  admit(memberId: string, admission: StreamStart): void;
  /** Tells all members but those who wait that something was missed for good, and where it goes on. */
  lost(position: StreamPosition): void;
}

/** How a feed behaves. */
export interface FeedSettings {
  /** Most publications of one read; who has missed more cannot recover. */
  readonly pageSize: number;
  /** Newcomers get the latest publication. */
  readonly sendLatest: boolean;
}

/** Something that has come from the bus before its turn. */
interface Early {
  readonly publication: Publication;
  readonly epoch: string;
  /** The read after which it must have had its turn. */
  readonly read: number;
  readonly served: (reached: number) => void;
}

interface Waiting {
  readonly asked: StreamPosition | undefined;
  /** The first read that may serve it: one that was begun after it had entered. */
  readonly read: number;
}

/** Held back before it has entered: no read serves it. */
const HELD: Waiting = { asked: undefined, read: Infinity };

/** Most publications that wait for a gap to be filled; what comes then is read again in its turn. */
const MAX_EARLY = 4_096;

/**
 * What a node delivers of one topic that keeps a history: each publication once, in the order of the stream, whatever the
 * bus drops, repeats or reorders; and for who comes later, the seam between what is read and what arrives.
 *
 * It reads nothing by itself: as long as {@link wanted} says so, its owner reads, one read after the other, and hands over the page.
 */
export class TopicFeed {
  /** Everything up to here has been delivered. Unknown until the first page. */
  #delivered: StreamPosition | undefined;
  readonly #waiting = new Map<string, Waiting>();
  #early: Early[] = [];
  /** What was delivered while somebody waits. */
  #recent: Publication[] = [];
  #latest: { readonly publication: Publication; readonly epoch: string } | undefined;
  #reads = 0;
  #isUnsure = false;

  constructor(
    private readonly settings: FeedSettings,
    private readonly effects: FeedEffects,
  ) {}

  /** Those who are in the topic but get nothing yet. */
  get waiting(): ReadonlyMap<string, unknown> {
    return this.#waiting;
  }

  /** What is to be read next, or `undefined` when nothing is. */
  get wanted(): HistoryRange | undefined {
    if (!this.#isUnsure && this.#early.length === 0 && !this.#hasEntering) return undefined;
    const since = this.#from();
    if (since === undefined) return { limit: this.settings.sendLatest ? 1 : 0, reverse: true };
    // However far back it begins, it goes a page beyond what was delivered.
    return { limit: this.settings.pageSize + ((this.#delivered?.offset ?? since) - since), since };
  }

  /**
   * Takes what has come from the bus.
   * @param served told how many it reached, at once or when what is missing before it has been found
   */
  arrive(publication: Publication, epoch: string, served: (reached: number) => void): void {
    const position = { epoch, offset: publication.offset };
    const place = this.#delivered && this.#early.length === 0 ? placeOf(position, this.#delivered) : 'beyond';
    if (place === 'next') this.#deliver(publication, epoch, served);
    else if (place === 'known') served(0);
    else this.#keep({ publication, epoch, read: this.#reads + 1, served });
  }

  /** From now on somebody is in the topic who is to get nothing until it has entered. */
  hold(memberId: string): void {
    this.#waiting.set(memberId, HELD);
  }

  /**
   * Takes somebody in who is to get everything from now on, or from where it was; to be called once the bus brings the topic.
   * @param asked where it was, when it wishes to recover; with an empty epoch, in whichever there is
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
      this.#admit(memberId, asked);
    }
  }

  /** Somebody has left. */
  leave(memberId: string): void {
    this.#waiting.delete(memberId);
    if (this.#waiting.size === 0) this.#recent = [];
  }

  /** Something may have been missed. */
  doubt(): void {
    this.#isUnsure = true;
  }

  /** A read is begun, of what was {@link wanted}. */
  begin(): void {
    this.#reads += 1;
    this.#isUnsure = false;
  }

  /** The read has failed. @returns those who have waited for it, and wait no longer */
  fail(): readonly string[] {
    const failed = [...this.#waiting].filter(([, { read }]) => read <= this.#reads).map(([memberId]) => memberId);
    for (const memberId of failed) this.leave(memberId);
    this.#isUnsure = true;
    return failed;
  }

  /**
   * Takes what was read.
   * @param latest the latest publication, when it is not the last one of the page
   */
  take(page: HistoryPage, latest: Publication | undefined = page.publications.at(-1)): void {
    const { top, publications } = page;
    if (latest?.offset === top.offset) this.#latest = { publication: latest, epoch: top.epoch };
    this.#delivered = this.#delivered ? inEpoch(this.#delivered, top.epoch) : top;
    if (this.#isBehind(top)) this.#follow(page);
    this.#serveEarly();
    if (this.#isBehind(top)) this.doubt();
    else this.#admitServed(publications);
  }

  get #hasEntering(): boolean {
    // Asked every second of every topic, and nearly always nobody waits.
    if (this.#waiting.size === 0) return false;
    for (const { read } of this.#waiting.values()) if (read !== Infinity) return true;
    return false;
  }

  /** Where a read has to begin, so that it serves everybody; no further back than one page, so that nobody stands in the way of the others. */
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

  /** Brings the members as far as the page goes. What is missing before it is said to be lost. */
  #follow({ top, publications }: HistoryPage): void {
    const { epoch, offset } = this.#delivered!;
    const ahead = publications.filter((publication) => epoch !== top.epoch || publication.offset > offset);
    const next = ahead[0]?.offset ?? this.#firstEarly(top.epoch);
    if (epoch !== top.epoch || next !== offset + 1) {
      this.#delivered = { epoch: top.epoch, offset: next === undefined ? top.offset : next - 1 };
      this.#recent = [];
      this.effects.lost(this.#delivered);
    }
    for (const publication of ahead) this.#deliver(publication, top.epoch, this.#takeEarly(publication, top.epoch));
  }

  /** What has come early and is delivered from a page is counted as what has come. */
  #takeEarly({ offset }: Publication, epoch: string): Early['served'] | undefined {
    const at = this.#early.findIndex((early) => early.publication.offset === offset && early.epoch === epoch);
    return at < 0 ? undefined : this.#early.splice(at, 1)[0]!.served;
  }

  /** The first that has come early of what is still to be delivered in this epoch. */
  #firstEarly(epoch: string): number | undefined {
    const { epoch: here, offset } = this.#delivered!;
    return this.#early.find((early) => early.epoch === epoch && (epoch !== here || early.publication.offset > offset))
      ?.publication.offset;
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

  /** What has come early has its turn. What a later read does not lead up to belongs to no stream there is. */
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

  #admitServed(read: readonly Publication[]): void {
    const here = this.#delivered!;
    const first = read[0]?.offset ?? Infinity;
    const known = [...read, ...this.#recent.filter(({ offset }) => offset > (read.at(-1)?.offset ?? 0))];
    const isCutShort = known.length > 0 && known.at(-1)!.offset < here.offset;
    for (const [memberId, { asked, read: after }] of this.#waiting) {
      if (after > this.#reads) continue;
      // A read that began further back, for somebody else, may have ended before it had come to what this one needs.
      if (asked && isCutShort && asked.offset + 1 >= first && this.#isWithinReach(asked, here)) continue;
      this.#admit(memberId, asked, known);
    }
    if (this.#waiting.size === 0) this.#recent = [];
  }

  #admit(memberId: string, wished: StreamPosition | undefined, known: readonly Publication[] = []): void {
    this.leave(memberId);
    const position = this.#delivered!;
    const asked = wished && inEpoch(wished, position.epoch);
    const recovery = asked && recover(asked, known, position);
    if (recovery?.recovered) {
      return this.effects.admit(memberId, {
        position: asked!,
        recovered: true,
        top: position,
        publications: recovery.publications,
      });
    }
    const latest = this.settings.sendLatest ? this.#latestAt(position) : undefined;
    const publications = latest ? [latest] : [];
    this.effects.admit(memberId, { position, ...(asked && { recovered: false }), top: position, publications });
  }

  #latestAt({ epoch, offset }: StreamPosition): Publication | undefined {
    const latest = this.#latest;
    return latest?.epoch === epoch && latest.publication.offset === offset ? latest.publication : undefined;
  }
}

function isSame(a: StreamPosition, b: StreamPosition): boolean {
  return a.epoch === b.epoch && a.offset === b.offset;
}
