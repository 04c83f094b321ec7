import type { Logger } from '@nestjs/common';

/** Logs the failures of a repeated attempt: a reason is logged only when it differs from the previous one. */
export class WarnOnChange {
  #last: string | undefined;

  /** @param what the text before each reason */
  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  say(reason: string): void {
    if (reason === this.#last) return;
    this.#last = reason;
    this.logger.warn(`${this.what}: ${reason}`);
  }

  /** Records a success: the same reason is logged again next time. */
  settle(): void {
    this.#last = undefined;
  }
}
