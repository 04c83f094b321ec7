import type { PresenceMember } from './presence.js';

/** The report of a node about one user in one topic. */
export interface PresenceUpdate {
  readonly topic: string;
  readonly userId: string;
  /** Missing if the user is no longer in the topic. */
  readonly member?: PresenceMember;
  /** The time at which the info was given, in milliseconds of the caller's clock: the newest info of all nodes is shown. */
  readonly since: number;
  /**
   * `silently`: the user's join was announced before, and is not announced again. `leaving`: the same, but the user has gone
   * meanwhile; a user whose leave was announced is not reported. `again`: the user was reported silently,
   * but a leave had been announced to all; the join is announced unless another node has the user.
   */
  readonly manner: 'aloud' | 'silently' | 'leaving' | 'again';
}

interface Entry {
  readonly topic: string;
  member: PresenceMember;
  since: number;
  /** The user has left, which may still have to be reported. */
  isGone: boolean;
  /** The last report is stored by the receivers. */
  isHeld: boolean;
  /** Whether all know the user as present. `joining`: unless the last join was not announced; `leaving`: unless the last leave was. */
  known: 'no' | 'joining' | 'leaving' | 'yes';
  /** The store may have held the entry before a loss of data: if it declared the node dead by then, the leave was announced. */
  isAssumed: boolean;
}

/**
 * The entries of a node, and the updates that it has yet to report to the shared store. For each user and topic only the
 * newest update is reported, in the order of the changes; one batch at a time is in flight. Mutable; one owner changes it.
 *
 * Reported entries can be lost in two ways. If the node was declared dead, the users whom the store held have left: all
 * entries are reported again. If the data of the store is lost, no user has left: users who were known already are reported
 * silently. A user who goes after that loss stays listed until the other nodes have reported their entries: before, it is
 * unknown whether this was the user's last node.
 *
 * Whether an update in flight took effect before a loss is unknown. Its announcement is repeated: at least once is better
 * than never.
 */
export class PresenceOutbox {
  readonly #entries = new Map<string, Entry>();
  readonly #unsaid = new Set<Entry>();
  /** Entries in flight, with the update that was sent for each. */
  readonly #flight = new Map<Entry, PresenceUpdate>();
  /** Entries that are gone, but are reported as present until {@link settle}. */
  readonly #lingering = new Set<Entry>();
  /** Entries that were known before a loss of data, and have not been confirmed since. */
  readonly #restoring = new Set<Entry>();
  #isSettled = true;

  /**
   * Records that the user is in the topic. Omitted info stays unchanged.
   * @param since the time at which the info was given, in milliseconds of the caller's clock
   */
  set(topic: string, member: PresenceMember, since = 0): void {
    const key = keyOf(topic, member.userId);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { topic, member, since, isGone: false, isHeld: false, known: 'no', isAssumed: false };
      this.#entries.set(key, entry);
    }
    if (member.info !== undefined && member.info !== entry.member.info) [entry.member, entry.since] = [member, since];
    else entry.member = { ...entry.member, connections: member.connections };
    entry.isGone = false;
    this.#unsaid.add(entry);
  }

  /** Records that the user is no longer in the topic. */
  remove(topic: string, userId: string): void {
    const entry = this.#entries.get(keyOf(topic, userId));
    if (entry === undefined || entry.isGone) return;
    entry.isGone = true;
    this.#unsaid.add(entry);
    this.#tidy(entry);
  }

  /** The number of updates to report, including those in flight. */
  get unsaidCount(): number {
    return this.#unsaid.size + this.#flight.size;
  }

  /** True if all entries that were known before a loss of data were confirmed since. */
  get isRestored(): boolean {
    return this.#restoring.size === 0;
  }

  /** Takes the oldest updates to report, or again those in flight that were not confirmed. They are in flight until {@link heard}, {@link forgotten} or {@link lost}. */
  take(limit: number): readonly PresenceUpdate[] {
    if (this.#flight.size > 0) return [...this.#flight.values()];
    for (const entry of this.#unsaid) {
      if (this.#flight.size >= limit) break;
      this.#unsaid.delete(entry);
      this.#flight.set(entry, this.#updateOf(entry));
    }
    return [...this.#flight.values()];
  }

  /** Confirms the updates in flight. */
  heard(): void {
    for (const [entry, { member, manner }] of this.#flight) {
      this.#flight.delete(entry);
      this.#restoring.delete(entry);
      const isJoin = member !== undefined && (manner === 'again' || (manner === 'aloud' && !entry.isHeld));
      if (isJoin || member === undefined) [entry.known, entry.isAssumed] = [isJoin ? 'yes' : 'no', false];
      entry.isHeld = member !== undefined;
      if (entry.isGone && entry.isHeld && !this.#unsaid.has(entry))
        (this.#isSettled ? this.#unsaid : this.#lingering).add(entry);
      this.#tidy(entry);
    }
  }

  /** Records that the store has announced the join of a user whom this node had reported, silently perhaps. */
  announced(topic: string, userId: string): void {
    const entry = this.#entries.get(keyOf(topic, userId));
    if (entry) [entry.known, entry.isAssumed] = ['yes', false];
  }

  /** Records that the store has announced the leave of a user who has gone, and does not hold the entry. */
  departed(topic: string, userId: string): void {
    const entry = this.#entries.get(keyOf(topic, userId));
    if (entry === undefined) return;
    [entry.isHeld, entry.known, entry.isAssumed] = [false, 'no', false];
    this.#lingering.delete(entry);
    this.#tidy(entry);
  }

  /** Releases the lingering entries, once the other nodes have reported theirs: users who are gone now leave. */
  settle(): void {
    this.#isSettled = true;
    for (const entry of this.#lingering) if (entry.isGone) this.#unsaid.add(entry);
    this.#lingering.clear();
  }

  /** Handles that this node was declared dead: the leaves of the users whom the store held were announced to all. */
  forgotten(): void {
    for (const entry of this.#entries.values()) {
      if (entry.isHeld) [entry.known, entry.isAssumed] = ['no', false];
      else if (this.#flight.has(entry) && entry.known === 'yes') entry.known = 'leaving';
    }
    this.#sayAgain();
  }

  /** Handles a loss of the reported data, without any announced leave. */
  lost(): void {
    this.#isSettled = false;
    for (const entry of this.#entries.values()) {
      const update = this.#flight.get(entry);
      if (update?.member && entry.known === 'no') entry.known = 'joining';
      if (update && !update.member && entry.known === 'yes') entry.known = 'leaving';
      entry.isAssumed ||= entry.isHeld || update !== undefined;
    }
    this.#sayAgain();
  }

  /**
   * Handles that this node was declared dead before a loss of data, with announced leaves, which it learns only after that loss:
   * the joins of the users whom the store held then are announced again.
   */
  buried(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.isAssumed) continue;
      entry.isAssumed = false;
      entry.known = 'leaving';
      if (!entry.isGone) this.#unsaid.add(entry);
    }
  }

  /** Ends the doubt after a loss of data: no node remembers this node as declared dead before. */
  assured(): void {
    for (const entry of this.#entries.values()) entry.isAssumed = false;
  }

  #sayAgain(): void {
    this.#flight.clear();
    this.#lingering.clear();
    this.#restoring.clear();
    for (const entry of this.#entries.values()) {
      entry.isHeld = false;
      this.#unsaid.add(entry);
      if (entry.known !== 'no') this.#restoring.add(entry);
      this.#tidy(entry);
    }
  }

  #updateOf(entry: Entry): PresenceUpdate {
    const { topic, member, since, isGone, isHeld } = entry;
    const { userId } = member;
    if (isGone && isHeld && this.#isSettled) return { topic, userId, since, manner: 'aloud' };
    // The store announces the leave of a user whom it has.
    const said = isGone ? { ...member, connections: 0 } : member;
    return { topic, userId, member: said, since, manner: mannerOf(entry) };
  }

  /** Drops an entry that is gone and that no receiver knows: there is nothing to report. */
  #tidy(entry: Entry): void {
    if (!entry.isGone || entry.isHeld || entry.known !== 'no' || this.#flight.has(entry)) return;
    this.#unsaid.delete(entry);
    this.#restoring.delete(entry);
    this.#entries.delete(keyOf(entry.topic, entry.member.userId));
  }
}

function mannerOf({ isGone, isHeld, known }: Entry): PresenceUpdate['manner'] {
  if (isGone && (known === 'yes' || known === 'leaving')) return 'leaving';
  if (!isHeld && known === 'yes') return 'silently';
  return isHeld && known !== 'yes' && !isGone ? 'again' : 'aloud';
}

/** Different pairs have different keys, whatever characters they contain. */
function keyOf(topic: string, userId: string): string {
  return `${topic.length}:${topic}${userId}`;
}
