import { isSameInfo } from './presence-info.js';
import { changeOf, type PresenceChange } from './presence.js';

/** A change to tell the watchers of a topic. */
export interface TopicChange {
  readonly topic: string;
  readonly change: PresenceChange;
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
}

const NOBODY: ReadonlyMap<string, Window> = new Map();

/**
 * Coalesces the changes of each user in each topic. The first change is told at once and opens a window. Of later changes only
 * the latest is kept. When the window ends, the difference to what was told last is told and opens the next window; without a
 * difference nothing is told, and the window is forgotten. So watchers are told about one user in one topic at most once in
 * `windowMs`, joins and leaves alternate, and the last change is told at the latest when its window ends.
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
      const window: Window = { topic, userId, told: change, latest: change, endsAt: now + this.windowMs };
      this.#open.add(window);
      const users = this.#topics.get(topic);
      if (users) users.set(userId, window);
      else this.#topics.set(topic, new Map([[userId, window]]));
    }
    return known === undefined;
  }

  /**
   * Ends windows whose time is over, until one has something to tell. Call it until it returns `undefined`.
   * @returns the change to tell now; `undefined` if no other window is over
   */
  end(now: number): TopicChange | undefined {
    for (const window of this.#open) {
      if (window.endsAt > now) break;
      this.#open.delete(window);
      const change = differenceOf(window);
      if (change === undefined) {
        this.#forget(window);
        continue;
      }
      window.told = window.latest = change;
      window.endsAt = now + this.windowMs;
      this.#open.add(window);
      return { topic: window.topic, change };
    }
    return undefined;
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

  /** The changes that the watchers of a topic were told less than a window ago: the last one of each user. */
  *toldIn(topic: string): Iterable<PresenceChange> {
    for (const { told } of (this.#topics.get(topic) ?? NOBODY).values()) yield told;
  }

  #forget({ topic, userId }: Window): void {
    const users = this.#topics.get(topic)!;
    users.delete(userId);
    if (users.size === 0) this.#topics.delete(topic);
  }
}

/** Returns the change that leads from what was told to the latest. */
function differenceOf({ told, latest, userId }: Window): PresenceChange | undefined {
  if (latest === told) return undefined;
  if (latest.kind === 'left') return told.kind === 'left' ? undefined : latest;
  if (told.kind === 'left') return changeOf('joined', userId, latest.info);
  return isSameInfo(told.info, latest.info) ? undefined : changeOf('updated', userId, latest.info);
}
