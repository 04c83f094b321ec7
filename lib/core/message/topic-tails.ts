/** One message that was published to a topic. */
export interface TailEntry {
  /** Counts the messages of this node to the topic since somebody looks, from 1: a gap shows that some were left out. */
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The message's type. */
  readonly type: string;
  /** Bytes of the message as JSON. */
  readonly bytes: number;
  /** The message as JSON, perhaps shortened; only if payloads were asked for. */
  readonly text?: string;
}

interface Tail {
  until: number;
  payloads: boolean;
  count: number;
  readonly entries: TailEntry[];
}

/** Most topics that are watched at the same time; a further one takes the place of the one that was asked for longest ago. */
const MAX_TOPICS = 8;

/** Most messages that are kept for a topic. */
const MAX_ENTRIES = 50;

/** The time for which a topic is watched after it was last asked for, in milliseconds. */
const KEPT_MS = 15_000;

/** The last messages of the topics that somebody watches. */
export class TopicTails {
  readonly #tails = new Map<string, Tail>();

  /** True if some topic may be watched; to be asked before anything else is done for a message. */
  get isOn(): boolean {
    return this.#tails.size > 0;
  }

  /** Watches a topic from now on, and returns what came since it was first asked for. */
  read(topic: string, payloads: boolean, now: number): readonly TailEntry[] {
    this.#expire(now);
    const tail = this.#tails.get(topic) ?? { until: 0, payloads: false, count: 0, entries: [] };
    tail.until = now + KEPT_MS;
    tail.payloads ||= payloads;
    // The last one that was asked for stands last.
    this.#tails.delete(topic);
    this.#tails.set(topic, tail);
    if (this.#tails.size > MAX_TOPICS) this.#tails.delete(this.#tails.keys().next().value!);
    return tail.entries.map((entry) => (payloads ? entry : withoutText(entry)));
  }

  /**
   * Records a message, if its topic is watched.
   * @param sizeOf returns the bytes of the message; `excerpt` its text, shortened. Called only if the topic is watched
   */
  add(topic: string, type: string, now: number, message: { bytes(): number; excerpt(): string }): void {
    this.#expire(now);
    const tail = this.#tails.get(topic);
    if (tail === undefined) return;
    tail.count += 1;
    const text = tail.payloads ? { text: message.excerpt() } : {};
    tail.entries.push({ n: tail.count, at: now, type, bytes: message.bytes(), ...text });
    if (tail.entries.length > MAX_ENTRIES) tail.entries.shift();
  }

  #expire(now: number): void {
    for (const [topic, { until }] of this.#tails) if (until < now) this.#tails.delete(topic);
  }
}

function withoutText({ n, at, type, bytes }: TailEntry): TailEntry {
  return { n, at, type, bytes };
}
