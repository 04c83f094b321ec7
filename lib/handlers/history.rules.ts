import { RETENTION_LIMITS } from '../core/history/history.js';
import { describeProblems, type Problem } from '../core/base/problem.js';
import type { TopicHistoryOptions } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

const { size: SIZE, ttlMs: TTL_MS } = RETENTION_LIMITS;

const OPTIONS = ['size', 'ttlMs', 'recoverLimit', 'sendLast'] as const satisfies (keyof TopicHistoryOptions)[];

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
  const { size, ttlMs, recoverLimit, sendLast } = history as Record<string, unknown>;
  const problems: Problem[] = [];
  for (const key of Object.keys(history)) {
    if (OPTIONS.some((option) => option === key)) continue;
    if (key === 'sendLatest') problems.push({ at: 'history.sendLatest', message: 'is now sendLast: 1' });
    else problems.push({ at: `history.${key}`, message: `is not an option; the options are: ${OPTIONS.join(', ')}` });
  }
  if (!isWithin(size, SIZE)) {
    problems.push({ at: 'history.size', message: `must be a whole number from ${SIZE.min} to ${SIZE.max}` });
  }
  if (!isWithin(ttlMs, TTL_MS)) {
    const message = `must be a whole number of milliseconds from ${TTL_MS.min} to ${TTL_MS.max}`;
    problems.push({ at: 'history.ttlMs', message });
  }
  if (recoverLimit !== undefined && !isUpTo(recoverLimit, size)) {
    problems.push({ at: 'history.recoverLimit', message: 'must be a whole number from 1 to size' });
  }
  if (sendLast !== undefined && sendLast !== 0 && !isUpTo(sendLast, size)) {
    problems.push({ at: 'history.sendLast', message: 'must be a whole number from 0 to size' });
  }
  return problems;
}

function isUpTo(value: unknown, size: unknown): boolean {
  return isWithin(value, SIZE) && (value as number) <= (size as number);
}

function isWithin(value: unknown, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
