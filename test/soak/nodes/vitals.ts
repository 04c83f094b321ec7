import { readdirSync } from 'node:fs';
import type { Stall } from '../checker/record.js';
import type { RunLog } from './run-log.js';

const EVERY_MS = 250;

/** How late the event loop of a run may be before that is written down, in milliseconds. */
const LATE_MS = 500;

/**
 * Watches the run itself: a finding around a moment at which the run stood still may be its own fault. Counts file descriptors, which only
 * Linux tells.
 */
export class Vitals {
  /** The most that this process had at once. */
  descriptorsOfRun = 0;
  /** The most that one node had at once. */
  descriptorsOfNode = 0;
  /** The longest time for which this process stood still, in milliseconds. */
  longestStallMs = 0;
  /** When this process stood still. */
  readonly stalls: Stall[] = [];
  #lookedAt: number;
  readonly #timer: NodeJS.Timeout;

  /** @param nodes the process ids of the nodes there are at the moment */
  constructor(
    private readonly log: RunLog,
    private readonly nodes: () => readonly number[],
  ) {
    this.#lookedAt = log.now();
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  get figures(): Readonly<Record<string, number>> {
    const { descriptorsOfRun, descriptorsOfNode, longestStallMs } = this;
    return { descriptorsOfRun, descriptorsOfNode, longestStallMs };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.log.now();
    const stallMs = Math.round(now - this.#lookedAt - EVERY_MS);
    if (stallMs >= LATE_MS) this.stalls.push({ from: this.#lookedAt, over: now });
    this.#lookedAt = now;
    this.longestStallMs = Math.max(this.longestStallMs, stallMs);
    if (stallMs >= LATE_MS) this.log.note(`the run itself stood still for ${stallMs} ms`);
    this.descriptorsOfRun = Math.max(this.descriptorsOfRun, openIn('self'));
    this.descriptorsOfNode = Math.max(this.descriptorsOfNode, ...this.nodes().map(openIn));
  }
}

function openIn(pid: number | 'self'): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // It has ended, or the system is another one.
    return 0;
  }
}
