import { Logger, type LoggerService } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { SafeLogger } from './safe-logger.js';

const LEVELS = ['error', 'warn', 'log', 'debug'] as const;

function use(write: (...args: unknown[]) => void): void {
  Logger.overrideLogger({ error: write, warn: write, log: write, debug: write } satisfies LoggerService);
}

afterEach(() => Logger.overrideLogger(['error', 'warn', 'log']));

describe('a SafeLogger', () => {
  it.each(LEVELS)("passes %s to the application's logger, with the context", (level) => {
    const lines: unknown[] = [];
    use((...args) => lines.push(args.filter((arg) => arg !== undefined)));
    new SafeLogger('Here')[level]('something');

    expect(lines).toEqual([['something', 'Here']]);
  });

  it.each(LEVELS)('survives a logger that throws in %s', (level) => {
    use(() => {
      throw new Error('the log is full');
    });

    expect(() => new SafeLogger('Here')[level]('something')).not.toThrow();
    // Twin: Nest's own does not.
    expect(() => new Logger('Here')[level]('something')).toThrow('the log is full');
  });
});
