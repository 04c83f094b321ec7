import { Clock } from 'nestjs-realtime/ports';

/** A clock that a test moves. It starts at the real time, since tokens are made by that. */
export class ManualClock extends Clock {
  #now = Date.now();

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
