import { RETENTION_LIMITS } from '../core/history/history.js';
import { describeProblems, type Problem } from '../core/base/problem.js';
import type { TopicHistoryOptions } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

const { size: SIZE, ttlMs: TTL_MS } = RETENTION_LIMITS;

const OPTIONS = ['size', 'ttlMs', 'recoverLimit', 'sendLatest'] as const satisfies (keyof TopicHistoryOptions)[];

/** Makes the boot fail if the options of a history cannot be satisfied. */
export function checkHistory(className: string, history: unknown): void {
  const problems = history === undefined ? [] : explainHistory(history);
  if (problems.length === 0) return;
  throw new RealtimeConfigurationError(
    `${className}: @TopicGateway() has a bad option: ${describeProblems(problems)}.`,
  );
}

function explainHistory(history: unknown): Problem[] {
  if (typeof history !== 'object' || history === null) {
    return [{ at: 'history', message: 'must be an object like { size: 100, ttlMs: 300000 }' }];
  }
  const { size, ttlMs, recoverLimit, sendLatest } = history as Record<string, unknown>;
  const problems: Problem[] = [];
  for (const key of Object.keys(history)) {
    if (OPTIONS.some((option) => option === key)) continue;
    problems.push({ at: `history.${key}`, message: `is not an option; the options are: ${OPTIONS.join(', ')}` });
  }
  if (!isWithin(size, SIZE)) {
    problems.push({ at: 'history.size', message: `must be a whole number from ${SIZE.min} to ${SIZE.max}` });
  }
  if (!isWithin(ttlMs, TTL_MS)) {
    const message = `must be a whole number of milliseconds from ${TTL_MS.min} to ${TTL_MS.max}`;
    problems.push({ at: 'history.ttlMs', message });
  }
  if (recoverLimit !== undefined && !(isWithin(recoverLimit, SIZE) && (recoverLimit as number) <= (size as number))) {
    problems.push({ at: 'history.recoverLimit', message: 'must be a whole number from 1 to size' });
  }
  if (sendLatest !== undefined && typeof sendLatest !== 'boolean') {
    problems.push({ at: 'history.sendLatest', message: 'must be true or false' });
  }
  return problems;
}

function isWithin(value: unknown, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
