import type { Logger } from '@nestjs/common';

/** What is wrong with something that is tried again and again: attempts are many, each reason is said once. */
export class WarnOnChange {
  #last: string | undefined;

  /** @param what said before each reason */
  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  say(reason: string): void {
    if (reason === this.#last) return;
    this.#last = reason;
    this.logger.warn(`${this.what}: ${reason}`);
  }

  /** All is well: the same reason is worth saying again. */
  settle(): void {
    this.#last = undefined;
  }
}
