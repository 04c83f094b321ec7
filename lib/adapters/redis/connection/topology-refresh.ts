import { TICK_MS } from './redis-connection.js';
import type { WarnOnChange } from './warn-on-change.js';

/** The interval while the topology is doubtful, in milliseconds. */
const URGENT_MS = 500;

/** When a network asks anew which servers there are. At most one request is under way. */
export class TopologyRefresh {
  #running: Promise<void> | undefined;
  #isStale = false;
  #ticks = 0;

  /**
   * @param ask asks for the topology and acts on it
   * @param routineMs the interval while nothing seems wrong, in milliseconds
   */
  constructor(
    private readonly ask: () => Promise<void>,
    private readonly routineMs: number,
    private readonly warnings: WarnOnChange,
  ) {}

  /** Records that what is known seems to be outdated. */
  doubt(): void {
    this.#isStale = true;
  }

  /** Asks at once, unless a request is under way. Rejects if nobody answers. */
  now(): Promise<void> {
    // Jitter: nodes that lost a server together must not ask at the same time.
    this.#ticks = -Math.round((Math.random() * URGENT_MS) / TICK_MS);
    return (this.#running ??= this.#run().finally(() => (this.#running = undefined)));
  }

  /**
   * Called every tick.
   * @param isUrgent true while a server is away
   */
  tick(isUrgent: boolean): void {
    this.#ticks += 1;
    const intervalMs = isUrgent || this.#isStale ? URGENT_MS : this.routineMs;
    if (this.#ticks * TICK_MS < intervalMs || this.#running) return;
    this.now().catch((error: unknown) => this.warnings.say(String(error)));
  }

  async #run(): Promise<void> {
    const wasStale = this.#isStale;
    // A doubt that comes up during the request stays: the answer may be older than the reason for it.
    this.#isStale = false;
    try {
      await this.ask();
    } catch (error) {
      this.#isStale ||= wasStale;
      throw error;
    }
    this.warnings.settle();
  }
}
