import { describe, expect, it } from 'vitest';
import { aRun } from '../report/a-run.js';
import { middleRound } from './rounds.js';

const result = (cpuMicros: number, lost = 0) => aRun({ cpuMicros, lost }).result.phases[0]!;

describe('what is done in rounds', () => {
  it('has the result in the middle, those to warm up left out', async () => {
    const costs = [1, 2, 9, 7, 8];
    const { cpuMicrosPerDelivery } = await middleRound(2, async (round) => result(costs[round]!));
    expect(cpuMicrosPerDelivery).toBe(8);
  });

  it.each([0, 1, 3])('ends with what was lost in round %i', async (bad) => {
    let rounds = 0;
    const { lost } = await middleRound(2, async (round) => {
      rounds += 1;
      return result(8, round === bad ? 7 : 0);
    });
    expect({ lost, rounds }).toEqual({ lost: 7, rounds: bad + 1 });
  });
});
