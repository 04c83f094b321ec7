import type { PresenceMember } from './presence.js';

/** What a node says of one user in one topic. */
export interface PresenceUpdate {
  readonly topic: string;
  readonly userId: string;
  /** Missing when the user is there no longer. */
  readonly member?: PresenceMember;
  /** When the info was given, in milliseconds of the caller's clock: of what several nodes say, the newest is shown. */
  readonly since: number;
  /**
   * `silently`: the user's join was told before, and is not told again. `again`: it was said silently, but all had been
   * told that the user left; the join is told unless another node has the user.
   */
  readonly manner: 'aloud' | 'silently' | 'again';
}

interface Entry {
  readonly topic: string;
  member: PresenceMember;
  since: number;
  /** The user is there no longer, and this may have to be said yet. */
  isGone: boolean;
  /** What was said of it holds elsewhere. */
  isHeld: boolean;
  /** It was said that the user is there, and not that it left. */
  isKnown: boolean;
  /** It was said silently after data was lost, as known. */
  isAssumed: boolean;
  /** That was wrong, and the join is to be told. */
  isAgain: boolean;
}

/**
 * What a node has, and what of it is still to be said to those who put it together. Of each user and topic only the newest
 * is said, in the order in which they changed; one lot at a time is on its way. Changed in place by its one owner.
 *
 * What was said can be lost in two ways. When the node was taken for dead, its users have left: all are said anew. When what
 * was put together is lost, nobody has left: who was known already is said silently. Whoever goes then stays until the
 * other nodes have said theirs: nobody could tell before that it was the last of the user.
 */
export class PresenceOutbox {
  readonly #entries = new Map<string, Entry>();
  readonly #unsaid = new Set<Entry>();
  /** On their way, with what was said of each. */
  readonly #flight = new Map<Entry, PresenceUpdate>();
  /** Gone, and said to be there until {@link settle}. */
  readonly #lingering = new Set<Entry>();
  #isSettled = true;

  /**
   * The user is in the topic. Info that is left out stays as it is.
   * @param since when the info was given, in milliseconds of the caller's clock
   */
  set(topic: string, member: PresenceMember, since = 0): void {
    const key = keyOf(topic, member.userId);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { topic, member, since, isGone: false, isHeld: false, isKnown: false, ...NEW };
      this.#entries.set(key, entry);
    }
    if (member.info !== undefined && member.info !== entry.member.info) [entry.member, entry.since] = [member, since];
    else entry.member = { ...entry.member, connections: member.connections };
    entry.isGone = false;
    this.#unsaid.add(entry);
  }

  /** The user is in the topic no longer. */
  remove(topic: string, userId: string): void {
    const entry = this.#entries.get(keyOf(topic, userId));
    if (entry === undefined || entry.isGone) return;
    entry.isGone = true;
    this.#unsaid.add(entry);
    this.#tidy(entry);
  }

  /** How much is to be said, what is on its way included. */
  get unsaidCount(): number {
    return this.#unsaid.size + this.#flight.size;
  }

  /** Takes the oldest that are to be said, or again those that were not heard. They are on their way until {@link heard}, {@link forgotten} or {@link lost}. */
  take(limit: number): readonly PresenceUpdate[] {
    if (this.#flight.size > 0) return [...this.#flight.values()];
    for (const entry of this.#unsaid) {
      if (this.#flight.size >= limit) break;
      this.#unsaid.delete(entry);
      this.#flight.set(entry, this.#sayingOf(entry));
    }
    return [...this.#flight.values()];
  }

  /** What was on its way has arrived. */
  heard(): void {
    for (const [entry, { member, manner }] of this.#flight) {
      this.#flight.delete(entry);
      entry.isHeld = entry.isKnown = member !== undefined;
      entry.isAssumed ||= manner === 'silently';
      if (manner === 'again') entry.isAssumed = entry.isAgain = false;
      if (entry.isGone && entry.isHeld && !this.#unsaid.has(entry)) this.#lingering.add(entry);
      this.#tidy(entry);
    }
  }

  /** The other nodes have said theirs: those who are gone leave. */
  settle(): void {
    this.#isSettled = true;
    for (const entry of this.#lingering) if (entry.isGone) this.#unsaid.add(entry);
    this.#lingering.clear();
  }

  /** Those who were said to be here were taken for gone, and everybody was told. */
  forgotten(): void {
    this.#sayAgain(false);
  }

  /** What was said is lost, and nobody was told anything. */
  lost(): void {
    this.#isSettled = false;
    // What was on its way may have been told to everybody, or not: better twice than never.
    for (const [entry, { member }] of this.#flight)
      if ((member !== undefined) === entry.isGone) entry.isKnown = entry.isGone;
    this.#sayAgain(true);
  }

  /**
   * Before data was lost this node was taken for dead, and everybody was told: it is found out only after all was said
   * silently. Those who were said so are said again.
   */
  buried(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.isAssumed || entry.isGone) continue;
      entry.isAgain = true;
      this.#unsaid.add(entry);
    }
  }

  /** Nobody remembers that this node was taken for dead before data was lost: it is not asked any more. */
  assured(): void {
    for (const entry of this.#entries.values()) entry.isAssumed = false;
  }

  #sayAgain(isKnown: boolean): void {
    this.#flight.clear();
    this.#lingering.clear();
    for (const entry of this.#entries.values()) {
      entry.isHeld = entry.isAssumed = entry.isAgain = false;
      entry.isKnown &&= isKnown;
      this.#unsaid.add(entry);
      this.#tidy(entry);
    }
  }

  #sayingOf({ topic, member, since, isGone, isHeld, isKnown, isAgain }: Entry): PresenceUpdate {
    const { userId } = member;
    if (isGone && this.#isSettled) return { topic, userId, since, manner: 'aloud' };
    if (isGone) return { topic, userId, member: { ...member, connections: 0 }, since, manner: 'silently' };
    const manner = isAgain ? 'again' : isKnown && !isHeld ? 'silently' : 'aloud';
    return { topic, userId, member, since, manner };
  }

  /** Of whom nobody knows, and who is not there, nothing is said. */
  #tidy(entry: Entry): void {
    if (!entry.isGone || entry.isHeld || entry.isKnown || this.#flight.has(entry)) return;
    this.#unsaid.delete(entry);
    this.#entries.delete(keyOf(entry.topic, entry.member.userId));
  }
}

const NEW = { isAssumed: false, isAgain: false };

/** No two pairs share a key, whatever stands in them. */
function keyOf(topic: string, userId: string): string {
  return `${topic.length}:${topic}${userId}`;
}
