import type { PhaseResult } from './job.js';

/** How often something is measured. */
const ROUNDS = 3;

/**
 * Does something again and again, first to warm up.
 * @param work is told which time it is, from 0
 * @returns of those that count the one in the middle, by CPU; where something was lost that one, and it is not done again
 */
export async function middleRound(
  warmUps: number,
  work: (round: number) => Promise<PhaseResult>,
): Promise<PhaseResult> {
  const results: PhaseResult[] = [];
  for (let round = 0; round < warmUps + ROUNDS; round++) {
    const result = await work(round);
    if (result.lost !== 0) return result;
    if (round >= warmUps) results.push(result);
  }
  return results.sort((a, b) => a.cpuMicrosPerAsked - b.cpuMicrosPerAsked)[Math.floor(ROUNDS / 2)]!;
}
