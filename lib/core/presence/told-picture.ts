import type { PresenceChange } from './presence.js';
import type { PresenceNews, PresencePicture, PresencePosition } from './presence-position.js';

/** What the watchers of a topic are to be told. */
export interface Correction {
  readonly changes: readonly PresenceChange[];
  /** True when the changes are not known: whoever watches has to read again. */
  readonly isReset: boolean;
}

const NOTHING: readonly PresenceChange[] = [];
const RIGHT: Correction = { changes: NOTHING, isReset: false };

/**
 * What a node has told the watchers of one topic, kept true: each change is told once, and a gap is closed with the
 * difference between what was told and what is read. Above `limit` users no picture is kept, and a gap is a reset.
 *
 * The owner reads the picture again while {@link isDoubtful}: {@link begin}, then {@link compare} or {@link tooLarge}. Changes
 * that arrive meanwhile are told at once; those newer than the read are laid over it. Changed in place by its one owner.
 */
export class ToldPicture {
  /** Missing before the first read, and above the limit. */
  #users: Map<string, unknown> | undefined;
  #at: PresencePosition | undefined;
  /** The epoch of the last read. */
  #epoch: string | undefined;
  /** True while the picture has users that were told in an epoch before, and may not have been said again yet. */
  #isCarrying = false;
  #isDoubtful = true;
  #isLarge = false;
  /** True when changes may be missing that cannot be found by a comparison. */
  #isResetDue = false;
  /** What arrived since the running read began. */
  #journal: PresenceNews[] | undefined;
  /** Where the first read was: news up to there may still be under way, and a watcher waits to hear of its own join. */
  #start: PresencePosition | undefined;
  /** Where the topic was when it was last looked at, and the news of it had not arrived yet. */
  #expected: PresencePosition | undefined;

  /** @param limit most users of which a picture is kept */
  constructor(private readonly limit: number) {}

  /** True while the picture has to be read again. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** True once there is something to compare later reads with, or it is known that there is too much. */
  get hasBegun(): boolean {
    return this.#users !== undefined || this.#isLarge;
  }

  /** Takes a change that has arrived. @returns what of it is to be told */
  hear(news: PresenceNews): readonly PresenceChange[] {
    const { at, ...change } = news;
    if (at !== undefined) {
      if (this.#isPast(at)) return this.#isLateJoin(news) ? [change] : NOTHING;
      this.#start = undefined;
      if (!this.#follows(at.epoch, at.previous)) this.doubt();
      this.#at = { epoch: at.epoch, sequence: at.sequence };
    }
    this.#remember(news);
    if (this.#users === undefined) return [change];
    const told = apply(this.#users, change);
    if (this.#users.size > this.limit) this.#outgrow();
    return told === undefined ? NOTHING : [told];
  }

  /** Something may have been missed. */
  doubt(): void {
    this.#isDoubtful = true;
    if (this.#isLarge) this.#isResetDue = true;
    this.#expected = undefined;
  }

  /**
   * Looks at where the topic is. News may still be under way, so being behind is a gap only when it lasts until the next look.
   * @param isLate true when no news can be under way: being behind is a gap at once
   */
  look(position: PresencePosition, isLate: boolean): void {
    if (this.#isDoubtful || this.#at === undefined || this.#isAt(position)) this.#expected = undefined;
    else if (isLate || position.epoch !== this.#at.epoch || this.#isOverdue()) this.doubt();
    else this.#expected = position;
  }

  /** True when what was told is newer than a read: the answer would bring back what was told to be gone. */
  isAheadOf(position: PresencePosition): boolean {
    return this.#at !== undefined && this.#at.epoch === position.epoch && this.#at.sequence > position.sequence;
  }

  /** A read begins. */
  begin(): void {
    this.#journal = [];
  }

  /** The read has failed; it is to be tried again. */
  failed(): void {
    this.#journal = undefined;
  }

  /** The read has ended. @returns what is to be told for what was told to be true again */
  compare({ at, isWhole, users }: PresencePicture): Correction {
    const journal = this.#journal;
    this.#journal = undefined;
    // More has happened than could be remembered, or the read is of a life of the data that is over.
    if (journal === undefined || (at && journal.some((news) => news.at && news.at.epoch !== at.epoch))) return RIGHT;
    const now = new Map(users);
    for (const { at: link, ...change } of journal) {
      if (at && link && link.sequence <= at.sequence) continue;
      // Nobody was there before it.
      if (link?.previous === 0) now.clear();
      apply(now, change);
    }
    if (at && !this.#isPast(at)) this.#at = at;
    this.#isDoubtful = !isWhole || !this.#isChained(journal, at);
    if (now.size > this.limit) return this.tooLarge();
    const isReset = this.#isResetDue;
    this.#isResetDue = this.#isLarge = false;
    const told = this.#users;
    const epoch = this.#epoch;
    this.#epoch = at?.epoch;
    if (told === undefined) this.#start = at;
    this.#users = now;
    if (told === undefined || isReset) return { changes: NOTHING, isReset };
    // Whoever was told before data was lost may be said again.
    this.#isCarrying = !isWhole && (this.#isCarrying || epoch !== at?.epoch);
    if (this.#isCarrying) for (const [userId, info] of told) if (!now.has(userId)) now.set(userId, info);
    return { changes: differenceOf(told, now), isReset: false };
  }

  /** The read has found more users than a picture is kept of. @returns a reset, where something may have been missed */
  tooLarge(): Correction {
    this.#journal = undefined;
    const isReset = this.#isResetDue || this.#users !== undefined;
    this.#users = undefined;
    this.#isLarge = true;
    this.#isDoubtful = this.#isResetDue = false;
    return { changes: NOTHING, isReset };
  }

  /** It has become too large by news, all of which were told. */
  #outgrow(): void {
    this.#users = undefined;
    this.#isLarge = true;
    this.#isResetDue = this.#isDoubtful;
  }

  #remember(news: PresenceNews): void {
    if (this.#journal === undefined) return;
    // A read that takes longer than so much news is of no use.
    if (this.#journal.length >= this.limit) this.#journal = undefined;
    else this.#journal.push(news);
  }

  /** News of the time before the first read, of a user who is still there: nobody has been told yet. */
  #isLateJoin({ at, kind, userId, info }: PresenceNews): boolean {
    if (this.#start === undefined || at?.epoch !== this.#start.epoch || kind === 'left') return false;
    if (at.sequence > this.#start.sequence) return false;
    return this.#users?.has(userId) === true && isSame(this.#users.get(userId), info);
  }

  #isPast({ epoch, sequence }: PresencePosition): boolean {
    return this.#at !== undefined && epoch === this.#at.epoch && sequence <= this.#at.sequence;
  }

  #isAt({ epoch, sequence }: PresencePosition): boolean {
    if (this.#isPast({ epoch, sequence }) && sequence !== 0) return true;
    return epoch === this.#at?.epoch && sequence === 0 && (this.#users?.size === 0 || this.#at.sequence === 0);
  }

  #isOverdue(): boolean {
    return this.#expected !== undefined && !this.#isAt(this.#expected);
  }

  #follows(epoch: string, previous: number): boolean {
    if (this.#at === undefined || this.#at.epoch !== epoch) return this.#at === undefined;
    return previous === this.#at.sequence || (previous === 0 && this.#users?.size === 0);
  }

  /** Whether nothing is missing among what arrived behind a read: a gap before it is closed by the read. */
  #isChained(journal: readonly PresenceNews[], at: PresencePosition | undefined): boolean {
    if (at === undefined) return true;
    let last = at.sequence;
    for (const { at: link } of journal) {
      if (link === undefined || link.sequence <= at.sequence) continue;
      if (link.previous !== last && link.previous !== 0) return false;
      last = link.sequence;
    }
    return true;
  }
}

/** Lays a change over a picture. @returns what has changed, if anything */
function apply(users: Map<string, unknown>, change: PresenceChange): PresenceChange | undefined {
  const { kind, userId, info } = change;
  const isThere = users.has(userId);
  if (kind === 'left') return users.delete(userId) ? change : undefined;
  if (isThere && isSame(users.get(userId), info)) return undefined;
  users.set(userId, info);
  return changeOf(isThere ? 'updated' : 'joined', userId, info);
}

function differenceOf(told: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): PresenceChange[] {
  const changes: PresenceChange[] = [];
  for (const [userId, info] of told) if (!now.has(userId)) changes.push(changeOf('left', userId, info));
  for (const [userId, info] of now) {
    if (!told.has(userId)) changes.push(changeOf('joined', userId, info));
    else if (!isSame(told.get(userId), info)) changes.push(changeOf('updated', userId, info));
  }
  return changes;
}

function changeOf(kind: PresenceChange['kind'], userId: string, info: unknown): PresenceChange {
  return { kind, userId, ...(info !== undefined && { info }) };
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
