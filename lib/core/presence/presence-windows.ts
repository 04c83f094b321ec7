import { isSameInfo } from './presence-info.js';
import { changeOf, type Presence, type PresenceChange } from './presence.js';

/** The watchers of a topic who are told a change: all of them if both are missing. */
export interface Audience {
  /** The only ones to tell. */
  readonly to?: ReadonlySet<string>;
  /** The ones not to tell. */
  readonly except?: ReadonlySet<string>;
}

/** A change to tell the watchers of a topic. */
export interface TopicChange extends Audience {
  readonly topic: string;
  readonly change: PresenceChange;
}

/** The answer to a watcher, where it differs from what watchers were told last of the user. */
interface Answer {
  readonly isThere: boolean;
  /** The last change that had been heard. */
  readonly after: PresenceChange;
}

/** A user about whom the watchers of a topic were told less than a window ago. */
interface Window {
  readonly topic: string;
  readonly userId: string;
  /** The last change that was told. */
  told: PresenceChange;
  /** The last change that was heard. */
  latest: PresenceChange;
  endsAt: number;
  /** The answers that differ from what was told, by watcher. */
  answers: Map<string, Answer> | undefined;
}

const NOTHING: readonly TopicChange[] = [];
const NOBODY: ReadonlyMap<string, Window> = new Map();

/**
 * Coalesces the changes of each user in each topic. The first change is told at once and opens a window. Of later changes only
 * the latest is kept. When the window ends, the difference to what was told last is told and opens the next window; without a
 * difference nothing is told, and the window is forgotten. So watchers are told about one user in one topic at most once in
 * `windowMs`, joins and leaves alternate, and the last change is told at the latest when its window ends.
 *
 * Answers about the members are exact, so they may differ from what watchers were told last. If the changes kept since cancel each
 * other, a watcher that was answered meanwhile is told the state again when the window ends, and no other watcher is.
 *
 * At most `limit` windows are open; above that, changes of further users are told at once. Mutable; one owner changes it.
 */
export class PresenceWindows {
  readonly #topics = new Map<string, Map<string, Window>>();
  /** All windows, ordered by their end: they are equally long. */
  readonly #open = new Set<Window>();

  /**
   * @param windowMs the length of a window, in milliseconds
   * @param limit the maximum number of open windows
   */
  constructor(
    private readonly windowMs: number,
    private readonly limit: number,
  ) {}

  /** The number of open windows. */
  get size(): number {
    return this.#open.size;
  }

  /** The time at which the next window ends; `undefined` if none is open. */
  get nextEnd(): number | undefined {
    for (const { endsAt } of this.#open) return endsAt;
    return undefined;
  }

  /**
   * Takes a change.
   * @param now the time in milliseconds of a monotonic clock
   * @returns true if it is to be told now; false if it is kept until the window of its user ends
   */
  hear(topic: string, change: PresenceChange, now: number): boolean {
    const { userId } = change;
    const known = this.#topics.get(topic)?.get(userId);
    if (known) known.latest = change;
    else if (this.#open.size < this.limit) {
      const window: Window = {
        topic,
        userId,
        told: change,
        latest: change,
        endsAt: now + this.windowMs,
        answers: undefined,
      };
      this.#open.add(window);
      const users = this.#topics.get(topic);
      if (users) users.set(userId, window);
      else this.#topics.set(topic, new Map([[userId, window]]));
    }
    return known === undefined;
  }

  /**
   * Ends windows whose time is over, until one has something to tell. Call it until it returns nothing.
   * @returns the change to tell now, twice if watchers are told it in different ways; nothing if no other window is over
   */
  end(now: number): readonly TopicChange[] {
    for (const window of this.#open) {
      if (window.endsAt > now) break;
      this.#open.delete(window);
      const due = dueOf(window);
      if (due.length === 0) {
        this.#forget(window);
        continue;
      }
      window.answers = pendingIn(window);
      window.told = window.latest;
      window.endsAt = now + this.windowMs;
      this.#open.add(window);
      return due;
    }
    return NOTHING;
  }

  /** Ends all windows of a topic. @returns the changes to tell now */
  endTopic(topic: string): readonly PresenceChange[] {
    const changes: PresenceChange[] = [];
    for (const window of this.#topics.get(topic)?.values() ?? []) {
      this.#open.delete(window);
      const change = differenceOf(window);
      if (change) changes.push(change);
    }
    this.#topics.delete(topic);
    return changes;
  }

  /** The last change that was heard of each user whose window is open. */
  *heardIn(topic: string): Iterable<PresenceChange> {
    for (const { latest } of (this.#topics.get(topic) ?? NOBODY).values()) yield latest;
  }

  /** Records that a watcher is answered with the members of a topic. */
  answered({ topic, users, userCount }: Presence, watcherId: string): void {
    const windows = this.#topics.get(topic);
    if (windows === undefined) return;
    const listed = new Map(users.map((member) => [member.userId, member]));
    const isLimited = users.length < userCount;
    for (const window of windows.values()) {
      const { userId, told, latest } = window;
      const member = listed.get(userId);
      const isThere = member !== undefined || (isLimited && latest.kind !== 'left');
      const isAsTold = isThere === (told.kind !== 'left') && (!member || isSameInfo(member.info, told.info));
      if (isAsTold) window.answers?.delete(watcherId);
      else (window.answers ??= new Map<string, Answer>()).set(watcherId, { isThere, after: latest });
    }
  }

  #forget({ topic, userId }: Window): void {
    const users = this.#topics.get(topic)!;
    users.delete(userId);
    if (users.size === 0) this.#topics.delete(topic);
  }
}

/** Returns the answers that stay ahead of what was heard when a window ends and only some watchers are told. */
function pendingIn({ told, latest, answers, userId }: Window): Map<string, Answer> | undefined {
  if (answers === undefined || differenceOf({ userId, told, latest })) return undefined;
  const pending = [...answers].filter(([, { after }]) => after === latest);
  return pending.length > 0 ? new Map(pending) : undefined;
}

/** Returns what is to be told when a window ends. */
function dueOf({ topic, userId, told, latest, answers }: Window): readonly TopicChange[] {
  const change = differenceOf({ userId, told, latest });
  if (answers === undefined) return change ? [{ topic, change }] : NOTHING;
  // If nothing was heard since the answer, the change that it was ahead of is still to come.
  const overtaken = [...answers].filter(([, { after }]) => change || after !== latest);
  const missing = new Set(overtaken.filter(([, { isThere }]) => !isThere).map(([watcherId]) => watcherId));
  const joined = { topic, change: changeOf('joined', userId, latest.info), to: missing };
  if (change) {
    // A watcher that was answered while the user was away gets the update as a join.
    if (change.kind !== 'updated' || missing.size === 0) return [{ topic, change }];
    return [joined, { topic, change, except: missing }];
  }
  const due: TopicChange[] = latest.kind !== 'left' && missing.size > 0 ? [joined] : [];
  const others = new Set(overtaken.filter(([, { isThere }]) => isThere).map(([watcherId]) => watcherId));
  const kind = latest.kind === 'left' ? 'left' : 'updated';
  if (others.size > 0) due.push({ topic, change: changeOf(kind, userId, latest.info), to: others });
  return due;
}

/** Returns the change that leads from what was told to the latest. */
function differenceOf({
  told,
  latest,
  userId,
}: Pick<Window, 'told' | 'latest' | 'userId'>): PresenceChange | undefined {
  if (latest === told) return undefined;
  if (latest.kind === 'left') return told.kind === 'left' ? undefined : latest;
  if (told.kind === 'left') return changeOf('joined', userId, latest.info);
  return isSameInfo(told.info, latest.info) ? undefined : changeOf('updated', userId, latest.info);
}
