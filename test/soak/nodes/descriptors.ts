import { readdirSync } from 'node:fs';

const EVERY_MS = 500;

/** Counts the open file descriptors of this process and of the nodes throughout a run; only Linux tells them. */
export class Descriptors {
  /** The most that this process had at once. */
  ofRun = 0;
  /** The most that one node had at once. */
  ofNode = 0;
  readonly #timer: NodeJS.Timeout;

  /** @param nodes the process ids of the nodes there are at the moment */
  constructor(private readonly nodes: () => readonly number[]) {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.ofRun = Math.max(this.ofRun, openIn('self'));
    this.ofNode = Math.max(this.ofNode, ...this.nodes().map(openIn));
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
