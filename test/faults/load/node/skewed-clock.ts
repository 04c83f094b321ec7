import { Clock } from 'nestjs-realtime/ports';

/** The clock of a machine on which somebody sets the time. */
export class SkewedClock extends Clock {
  #skewMs = 0;

  now(): number {
    return Date.now() + this.#skewMs;
  }

  /** It is ahead by so much from now on, or behind when that is negative. */
  jump(toMs: number): void {
    this.#skewMs = toMs;
  }
}
