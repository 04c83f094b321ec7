import { age, stamp } from './client-frame.js';
import type { Client } from './client.js';
import { LatencyHistogram } from './latency-histogram.js';

/** How often a bystander asks, in milliseconds, whether or not it was answered. */
export const ASKS_EVERY_MS = 2;

const TS = /"ts":(\d{16})/;

/**
 * A client to which nothing happens. It asks by the clock, and the time of an answer counts from the moment at which its
 * question was due: a server that stands still is not asked less for it.
 */
export class Bystander {
  readonly latency = new LatencyHistogram();
  #begunAt = 0;
  #asked = 0;
  #answered = 0;

  /** @param question has `{ts}` in it */
  constructor(
    private readonly client: Pick<Client, 'say'>,
    private readonly question: string,
  ) {}

  /** Forgets what was measured before. */
  begin(nowMs: number): void {
    this.#begunAt = nowMs;
    this.#asked = this.#answered = 0;
    this.latency.clear();
  }

  /** Asks what is due. */
  ask(nowMs: number): void {
    for (let due = this.#due; due <= nowMs; due = this.#due) {
      this.#asked += 1;
      this.client.say(this.question.replace('{ts}', String(stamp(due))));
    }
  }

  /** @param text a frame @returns whether it was an answer */
  hear(text: string, nowMs: number): boolean {
    if (text.includes('"tick"')) return false;
    const stamped = TS.exec(text)?.[1];
    if (stamped === undefined) return false;
    this.#answered += 1;
    this.latency.add(age(Number(stamped), nowMs));
    return true;
  }

  get isAnswered(): boolean {
    return this.#answered === this.#asked;
  }

  get #due(): number {
    return this.#begunAt + this.#asked * ASKS_EVERY_MS;
  }
}
