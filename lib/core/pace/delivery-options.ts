import type { Problem } from '../base/problem.js';

/** What happens to the messages of a topic that a reader cannot take. */
export type SlowPolicy = 'close' | 'drop' | 'latest';

/** The rates that may be asked for, in updates per second. */
export const UPDATE_RATE = { min: 0.1, max: 1_000 } as const;

/** Maximum length of the key of a message, in characters. */
const MAX_KEY_LENGTH = 255;

const OPTIONS: Readonly<Record<SlowPolicy, readonly string[]>> = {
  close: ['slow'],
  drop: ['slow'],
  latest: ['slow', 'maxRateHz', 'key'],
};

/** The condition for a rate, behind its name. */
export const RATE_MESSAGE = `must be a number of updates per second from ${UPDATE_RATE.min} to ${UPDATE_RATE.max}`;

/** True for a rate that may be asked for. */
export function isUpdateRate(value: unknown): value is number {
  return typeof value === 'number' && value >= UPDATE_RATE.min && value <= UPDATE_RATE.max;
}

/**
 * The rates that a reader may have which are not that of the topic. Each rate of a topic has a timer, so that clients must not be
 * able to make as many as they like.
 */
const RATE_STEPS: readonly number[] = [
  1_000, 500, 250, 200, 120, 100, 75, 60, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2.5, 2, 1.5, 1, 0.8, 0.5, 0.3,
  0.2, 0.1,
];

/**
 * Returns the least time between two updates, in milliseconds; 0 for none.
 * @param maxRateHz the rate of the topic
 * @param asked the rate that a client asked for: it may be less, but not more. It is rounded down to one of 30 steps
 */
export function updateIntervalOf(maxRateHz = Infinity, asked = Infinity): number {
  const rate = asked < maxRateHz ? (RATE_STEPS.find((step) => step <= asked) ?? UPDATE_RATE.min) : maxRateHz;
  return Math.ceil(1_000 / rate);
}

/**
 * Returns the problems of the `delivery` of a topic gateway.
 * @param history its `history`
 */
export function explainDelivery(delivery: unknown, history: unknown): Problem[] {
  if (typeof delivery !== 'object' || delivery === null || Array.isArray(delivery)) {
    return [{ at: 'delivery', message: "must be an object like { slow: 'latest', maxRateHz: 20 }" }];
  }
  const { slow = 'close', maxRateHz, key } = delivery as Record<string, unknown>;
  if (typeof slow !== 'string' || !Object.hasOwn(OPTIONS, slow)) {
    const known = Object.keys(OPTIONS).join(', ');
    return [{ at: 'delivery.slow', message: `must be one of: ${known}` }];
  }
  const options = OPTIONS[slow as SlowPolicy];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(delivery)) {
    if (options.includes(name) || value === undefined) continue;
    const message = OPTIONS.latest.includes(name)
      ? "works only with slow: 'latest'"
      : `is not an option; the options are: ${options.join(', ')}`;
    problems.push({ at: `delivery.${name}`, message });
  }
  if (slow === 'latest') problems.push(...explainLatest(maxRateHz, key));
  return history === undefined ? problems : [...problems, ...explainWithHistory(slow, key, history)];
}

function explainLatest(maxRateHz: unknown, key: unknown): Problem[] {
  const problems: Problem[] = [];
  if (maxRateHz !== undefined && !isUpdateRate(maxRateHz)) {
    problems.push({ at: 'delivery.maxRateHz', message: RATE_MESSAGE });
  }
  if (key !== undefined && typeof key !== 'function') {
    problems.push({ at: 'delivery.key', message: 'must be a function that returns the key of a message' });
  }
  return problems;
}

/** A history promises every message, or that a gap is told: only topics that carry a state can leave messages out. */
function explainWithHistory(slow: string, key: unknown, history: unknown): Problem[] {
  if (slow === 'close') return [];
  if (slow === 'drop') return [{ at: 'delivery.slow', message: "'drop' does not go with a history" }];
  const problems: Problem[] = [];
  if ((history as { readonly sendLast?: unknown } | null)?.sendLast !== 1) {
    problems.push({ at: 'delivery.slow', message: "'latest' goes only with a history that has sendLast: 1" });
  }
  if (key !== undefined) problems.push({ at: 'delivery.key', message: 'does not go with a history' });
  return problems;
}

/** True for the key of a message. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_KEY_LENGTH;
}

/** Returns the problems of the key of a message. */
export function explainKey(key: unknown): readonly Problem[] {
  if (isKey(key)) return [];
  const message = `must return a string of at most ${MAX_KEY_LENGTH} characters`;
  return [{ at: 'delivery.key', message }];
}

/** Returns the problems of `volatile`. @param keepsHistory whether the topic keeps a history */
export function explainVolatile(value: unknown, keepsHistory: boolean): readonly Problem[] {
  if (value === undefined || value === false) return [];
  if (value !== true) return [{ at: 'volatile', message: 'must be true or false' }];
  return keepsHistory ? [{ at: 'volatile', message: 'does not work for a topic that keeps a history' }] : [];
}
