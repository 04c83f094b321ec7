import { Logger } from '@nestjs/common';

/**
 * A `Logger` that never throws. The application may provide its own logger, and a log line that fails must not leave a
 * command unanswered or a connection stuck. The line is lost.
 */
export class SafeLogger extends Logger {
  override error(message: unknown, ...rest: unknown[]): void {
    attempt(() => super.error(message, ...rest));
  }

  override warn(message: unknown, ...rest: unknown[]): void {
    attempt(() => super.warn(message, ...rest));
  }

  override log(message: unknown, ...rest: unknown[]): void {
    attempt(() => super.log(message, ...rest));
  }

  override debug(message: unknown, ...rest: unknown[]): void {
    attempt(() => super.debug(message, ...rest));
  }
}

function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // There is no other place to report it.
  }
}
