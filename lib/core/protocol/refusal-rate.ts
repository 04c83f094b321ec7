import type { Rate } from '../base/token-bucket.js';

/**
 * The rate at which the commands of one client are refused as too fast. A client that sends thousands of commands at once learns
 * at once that it was too fast; beyond that, the commands that were read wait undecoded for their tokens, so that a flood costs no
 * more than what the limits allow. It refills in about a minute.
 */
export const REFUSAL_RATE: Rate = { perSecond: 64, burst: 4_096 };

/** Reading 1,000 values of JSON takes as long as so many refusals, at least. */
const REFUSALS_PER_TOKEN = 100;

/** Returns the number of refusals that a refused command counts as. @param cost its cost if it had been carried out, in tokens */
export function refusalCostOf(cost: number): number {
  return 1 + (cost - 1) * REFUSALS_PER_TOKEN;
}
