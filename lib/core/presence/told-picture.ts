import { changeOf, type PresenceChange } from './presence.js';
import { isSameInfo } from './presence-info.js';
import type { PresenceNews, PresencePicture, PresencePosition } from './presence-position.js';

/** The correction to send to the watchers of a topic. */
export interface Correction {
  readonly changes: readonly PresenceChange[];
  /** True if the changes are unknown: watchers have to read again. */
  readonly isReset: boolean;
}

const NOTHING: readonly PresenceChange[] = [];
const RIGHT: Correction = { changes: NOTHING, isReset: false };

/**
 * The state that a node has sent to the watchers of one topic, kept consistent: each change is sent once, and a gap is closed
 * with the difference between the sent state and a read. Above `limit` users no picture is kept, and a gap causes a reset.
 *
 * The owner reads the picture again while {@link isDoubtful}: {@link begin}, then {@link compare} or {@link tooLarge}. Changes
 * that arrive meanwhile are sent at once; those newer than the read are applied on top of it. Mutable; one owner changes it.
 */
export class ToldPicture {
  /** Missing before the first read, and above the limit. */
  #users: Map<string, unknown> | undefined;
  #at: PresencePosition | undefined;
  /** The epoch of the last read. */
  #epoch: string | undefined;
  /** True while the picture has users from an earlier epoch whose nodes may not have reported them again yet. */
  #isCarrying = false;
  #isDoubtful = true;
  #isLarge = false;
  /** True when changes may be missing that cannot be found by a comparison. */
  #isResetDue = false;
  /** The changes that arrived since the running read began. */
  #journal: PresenceNews[] | undefined;
  /** The position of the first read: changes up to it may still be in flight, and a watcher waits for its own join. */
  #start: PresencePosition | undefined;
  /** The position of the last read. */
  #read: PresencePosition | undefined;
  /** The position at the last check, while the changes up to it had not all arrived. */
  #expected: PresencePosition | undefined;
  /** The newest change at the last check, if the check did not know of it yet. */
  #ahead: PresencePosition | undefined;

  /** @param limit the maximum number of users in a picture */
  constructor(private readonly limit: number) {}

  /** True while the picture has to be read again. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** True once there is a picture to compare later reads with, or the topic is known to exceed the limit. */
  get hasBegun(): boolean {
    return this.#users !== undefined || this.#isLarge;
  }

  /** Takes a change that has arrived. @returns the changes to send to watchers */
  hear(news: PresenceNews): readonly PresenceChange[] {
    const { at, ...change } = news;
    if (at !== undefined) {
      if (this.#isPast(at)) {
        // Arrived twice, or one of the two is forged. Without a picture that would cost every watcher a read.
        if (this.#users && this.#read && !isUpTo(at, this.#read)) this.#distrust();
        return this.#isLateJoin(news) ? [change] : NOTHING;
      }
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

  /** Marks the picture as doubtful: changes may have been missed. */
  doubt(): void {
    this.#isDoubtful = true;
    if (this.#isLarge) this.#isResetDue = true;
    this.#expected = undefined;
  }

  /** Doubts what was heard since the running read began, too: that read decides nothing. */
  #distrust(): void {
    this.#journal = undefined;
    this.doubt();
  }

  /**
   * Compares with the topic's position. Changes may still be in flight, so lagging is a gap only if it lasts until the next check.
   * A change that is still ahead of the position at the next check does not exist: it was forged.
   * @param position read after the last check
   * @param isLate true if no changes can be in flight: lagging is a gap at once
   */
  look(position: PresencePosition, isLate: boolean): void {
    if (this.#isForged(position)) {
      this.#at = position;
      this.#distrust();
    }
    this.#ahead = this.isAheadOf(position) ? this.#at : undefined;
    if (this.#isDoubtful || this.#at === undefined || this.#isAt(position)) this.#expected = undefined;
    else if (isLate || position.epoch !== this.#at.epoch || this.#isOverdue()) this.doubt();
    else this.#expected = position;
  }

  /** True if the sent state is newer than a read: the read would restore users whose leave was sent. */
  isAheadOf(position: PresencePosition): boolean {
    return this.#at !== undefined && this.#at.epoch === position.epoch && this.#at.sequence > position.sequence;
  }

  /** Begins a read. */
  begin(): void {
    this.#journal = [];
  }

  /** Records that the read has failed; the picture stays doubtful. */
  failed(): void {
    this.#journal = undefined;
  }

  /** Takes the result of the read. @returns the correction that makes the sent state consistent again */
  compare({ at, isWhole, users }: PresencePicture): Correction {
    const journal = this.#journal;
    this.#journal = undefined;
    // The journal overflowed, or the read is of an epoch that has ended.
    if (journal === undefined || (at && journal.some((news) => news.at && news.at.epoch !== at.epoch))) return RIGHT;
    const now = new Map(users);
    for (const { at: link, ...change } of journal) {
      if (at && link && link.sequence <= at.sequence) continue;
      // The topic had no members before it.
      if (link?.previous === 0) now.clear();
      apply(now, change);
    }
    // A change that was heard before the read and is still ahead of it was forged.
    if (at && (!this.#isPast(at) || (at.sequence > 0 && !isOvertaken(at, journal)))) this.#at = at;
    this.#read = at;
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
    // Users announced before the loss of data may be reported again.
    this.#isCarrying = !isWhole && (this.#isCarrying || epoch !== at?.epoch);
    if (this.#isCarrying) for (const [userId, info] of told) if (!now.has(userId)) now.set(userId, info);
    return { changes: differenceOf(told, now), isReset: false };
  }

  /** Handles a read with more users than the limit. @returns a reset, if changes may have been missed */
  tooLarge(): Correction {
    this.#journal = undefined;
    const isReset = this.#isResetDue || this.#users !== undefined;
    this.#users = undefined;
    this.#isLarge = true;
    this.#isDoubtful = this.#isResetDue = false;
    return { changes: NOTHING, isReset };
  }

  /** Drops a picture that has outgrown the limit through changes, all of which were sent. */
  #outgrow(): void {
    this.#users = undefined;
    this.#isLarge = true;
    this.#isResetDue = this.#isDoubtful;
  }

  #remember(news: PresenceNews): void {
    if (this.#journal === undefined) return;
    // A read that is slower than this many changes is useless.
    if (this.#journal.length >= this.limit) this.#journal = undefined;
    else this.#journal.push(news);
  }

  /** True for a join from before the first read, of a user who is still present: it was not sent to watchers yet. */
  #isLateJoin({ at, kind, userId, info }: PresenceNews): boolean {
    if (this.#start === undefined || at?.epoch !== this.#start.epoch || kind === 'left') return false;
    if (at.sequence > this.#start.sequence) return false;
    return this.#users?.has(userId) === true && isSameInfo(this.#users.get(userId), info);
  }

  #isPast(position: PresencePosition): boolean {
    return this.#at !== undefined && isUpTo(position, this.#at);
  }

  /** True if the newest change that had arrived at the last check is unknown. An empty topic has no position. */
  #isForged(position: PresencePosition): boolean {
    if (this.#ahead === undefined || position.sequence === 0) return false;
    return this.isAheadOf(position) && position.sequence < this.#ahead.sequence && position.epoch === this.#ahead.epoch;
  }

  #isAt({ epoch, sequence }: PresencePosition): boolean {
    if (this.#isPast({ epoch, sequence }) && sequence !== 0) return true;
    if (epoch !== this.#at?.epoch || sequence !== 0) return false;
    // A read of an empty topic may have found a user who came meanwhile, and has left since.
    return this.#users === undefined ? this.#at.sequence === 0 : this.#users.size === 0;
  }

  #isOverdue(): boolean {
    return this.#expected !== undefined && !this.#isAt(this.#expected);
  }

  #follows(epoch: string, previous: number): boolean {
    if (this.#at === undefined || this.#at.epoch !== epoch) return this.#at === undefined;
    return previous === this.#at.sequence || (previous === 0 && this.#users?.size === 0);
  }

  /** True if the changes that arrived after a read have no gap; the read itself closes a gap before it. */
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

function isUpTo({ epoch, sequence }: PresencePosition, end: PresencePosition): boolean {
  return epoch === end.epoch && sequence <= end.sequence;
}

/** True if a change that has arrived since a read began is newer than the read. */
function isOvertaken(at: PresencePosition, journal: readonly PresenceNews[]): boolean {
  return journal.some(({ at: link }) => link !== undefined && link.sequence > at.sequence);
}

/** Applies a change to a picture. @returns the effective change, if any */
function apply(users: Map<string, unknown>, change: PresenceChange): PresenceChange | undefined {
  const { kind, userId, info } = change;
  const isThere = users.has(userId);
  if (kind === 'left') return users.delete(userId) ? change : undefined;
  if (isThere && isSameInfo(users.get(userId), info)) return undefined;
  users.set(userId, info);
  return changeOf(isThere ? 'updated' : 'joined', userId, info);
}

function differenceOf(told: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): PresenceChange[] {
  const changes: PresenceChange[] = [];
  for (const [userId, info] of told) if (!now.has(userId)) changes.push(changeOf('left', userId, info));
  for (const [userId, info] of now) {
    if (!told.has(userId)) changes.push(changeOf('joined', userId, info));
    else if (!isSameInfo(told.get(userId), info)) changes.push(changeOf('updated', userId, info));
  }
  return changes;
}
