import type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from './history.js';
import { POSITION_LIFE_MS } from './unpublished-epoch.js';

/** For how long a topic's position is kept after a publication or a read, in milliseconds. */
export function positionLifeMs(ttlMs: number): number {
  return Math.max(POSITION_LIFE_MS, ttlMs * 10);
}

/** The history of one topic. Mutable; one owner changes it. */
export class PublicationStream {
  #texts: string[] = [];
  #offset = 0;
  #textsUntil = 0;
  #positionUntil = 0;

  constructor(private readonly epoch: string) {}

  get top(): StreamPosition {
    return { epoch: this.epoch, offset: this.#offset };
  }

  /** The number of publications kept. */
  get size(): number {
    return this.#texts.length;
  }

  /** Time until which the position is kept, in milliseconds. The publications expire no later than it does. */
  get keptUntil(): number {
    return this.#positionUntil;
  }

  append(text: string, { size, ttlMs }: Retention, now: number): StreamPosition {
    this.forget(now);
    this.#texts.push(text);
    while (this.#texts.length > size) this.#texts.shift();
    this.#offset += 1;
    this.#textsUntil = now + ttlMs;
    this.keep(ttlMs, now);
    return this.top;
  }

  /** Extends the life of the position, because it was used. */
  keep(ttlMs: number, now: number): void {
    this.#positionUntil = now + positionLifeMs(ttlMs);
  }

  /** Drops the publications if they have expired. */
  forget(now: number): void {
    if (this.#texts.length > 0 && now >= this.#textsUntil) this.#texts = [];
  }

  page({ limit, since, reverse = false }: HistoryRange, now: number): HistoryPage {
    this.forget(now);
    const latest = this.#offset;
    const oldest = latest - this.#texts.length + 1;
    const publications: Publication[] = [];
    const add = (offset: number) => publications.push({ offset, text: this.#texts[offset - oldest]! });
    if (reverse) {
      const first = Math.min(since === undefined ? latest : since - 1, latest);
      for (let offset = first; offset >= oldest && publications.length < limit; offset--) add(offset);
    } else {
      const first = Math.max(since === undefined ? oldest : since + 1, oldest);
      for (let offset = first; offset <= latest && publications.length < limit; offset++) add(offset);
    }
    return { top: this.top, publications };
  }
}
