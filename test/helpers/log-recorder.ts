import type { LoggerService } from '@nestjs/common';
import { inspect } from 'node:util';
import { onTestFinished, vi } from 'vitest';

/** Writes down everything that is logged, at every level, with all that hangs on it. */
export class LogRecorder implements LoggerService {
  readonly lines: string[] = [];
  readonly log = this.#write('log');
  readonly error = this.#write('error');
  readonly warn = this.#write('warn');
  readonly debug = this.#write('debug');
  readonly verbose = this.#write('verbose');
  readonly fatal = this.#write('fatal');

  #write(level: string) {
    return (...parts: unknown[]): void => void this.lines.push(`${level} ${inspectAll(parts)}`);
  }
}

/** Writes down what reaches the console and the standard streams past any logger, until the test has finished. */
export function recordOutput(): readonly string[] {
  const lines: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      lines.push(chunk.toString());
      return true;
    }),
  );
  const methods = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void lines.push(inspectAll(parts))),
  );
  onTestFinished(() => [...streams, ...methods].forEach((spy) => spy.mockRestore()));
  return lines;
}

function inspectAll(parts: readonly unknown[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 8 }))).join(' ');
}
