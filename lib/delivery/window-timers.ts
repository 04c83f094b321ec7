import type { PaceWindow } from '../core/pace/pace-windows.js';

/** Keeps the time of the windows of one topic. */
export class WindowTimers {
  readonly #timers = new Map<PaceWindow, NodeJS.Timeout>();
  #isSealing = false;

  /** @param seal called when the moment is over in which windows have begun */
  constructor(private readonly seal: () => void) {}

  /** @param end called after the length of the window, unless it is cancelled */
  begin(window: PaceWindow, end: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(window);
      end();
    }, window.intervalMs);
    timer.unref();
    this.#timers.set(window, timer);
    if (this.#isSealing) return;
    this.#isSealing = true;
    queueMicrotask(() => {
      this.#isSealing = false;
      this.seal();
    });
  }

  cancel(window: PaceWindow): void {
    clearTimeout(this.#timers.get(window));
    this.#timers.delete(window);
  }
}
