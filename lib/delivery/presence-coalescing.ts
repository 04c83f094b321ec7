import { TURN_MS } from '../core/base/turn-budget.js';
import { PresenceWindows, type Audience } from '../core/presence/presence-windows.js';
import { asHeard } from '../core/presence/heard-presence.js';
import type { Presence, PresenceChange } from '../core/presence/presence.js';

/** Windows that end within this time end together, in milliseconds. */
const RESOLUTION_MS = 10;

/** Most open windows of this node; changes of further users are told at once. */
const MAX_WINDOWS = 10_000;

/** Limits how often the watchers of this node are told about one user in one topic. One timer ends all windows. */
export class PresenceCoalescing {
  readonly #windows: PresenceWindows | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param coalesceMs the length of a window, in milliseconds; 0 tells every change at once
   * @param tell receives the changes that were kept, when their windows end, and who is told; all watchers if that is missing
   */
  constructor(
    coalesceMs: number,
    private readonly tell: (topic: string, changes: readonly PresenceChange[], audience?: Audience) => void,
  ) {
    if (coalesceMs > 0) this.#windows = new PresenceWindows(coalesceMs, MAX_WINDOWS);
  }

  /** Takes the changes of a topic. @returns those to tell now */
  take(topic: string, changes: readonly PresenceChange[]): readonly PresenceChange[] {
    const windows = this.#windows;
    if (windows === undefined || changes.length === 0) return changes;
    const now = performance.now();
    const told = changes.filter((change) => windows.hear(topic, change, now));
    this.#wait(RESOLUTION_MS);
    return told;
  }

  /** Tells the kept changes of a topic, and ends its windows: the watchers compare, or read, the members again. */
  settle(topic: string): void {
    const changes = this.#windows?.endTopic(topic) ?? NOTHING;
    if (changes.length > 0) this.tell(topic, changes);
  }

  /** Forgets a topic that has no watcher any more. */
  forget(topic: string): void {
    this.#windows?.endTopic(topic);
  }

  /** Adds to members that were read what was heard of them since, if it may have been told. */
  asHeard(presence: Presence): Presence {
    return this.#windows ? asHeard(presence, this.#windows.heardIn(presence.topic)) : presence;
  }

  /** Records that a watcher is answered with these members, so that what it is told afterwards leads to the right picture. */
  answered(presence: Presence, watcherId: string): void {
    this.#windows?.answered(presence, watcherId);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(minMs: number): void {
    const end = this.#windows!.nextEnd;
    if (this.#timer !== undefined || end === undefined) return;
    this.#timer = setTimeout(this.#end, Math.max(minMs, end - performance.now()));
    this.#timer.unref();
  }

  readonly #end = (): void => {
    const begin = performance.now();
    let now = begin;
    let isOver = false;
    while (!isOver && now - begin < TURN_MS) {
      const due = this.#windows!.end(begin);
      for (const each of due) this.tell(each.topic, [each.change], each);
      isOver = due.length === 0;
      now = performance.now();
    }
    this.#timer = undefined;
    this.#wait(isOver ? RESOLUTION_MS : 0);
  };
}

const NOTHING: readonly PresenceChange[] = [];
