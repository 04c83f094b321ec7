import assert from 'node:assert/strict';
import type { Clock } from '../../ports/clock.js';
import type { ContractCase } from './contract-case.js';

/** 9 September 2001 in milliseconds; read as seconds, the same number is 30,000 years in the future. */
const LONG_AGO = 1_000_000_000_000;

/**
 * Guarantees of every `Clock`.
 * @publicApi
 */
export const clockContract: readonly ContractCase<Clock>[] = [
  {
    name: 'tells the time as a number that makes a valid date',
    async run(create) {
      const now: unknown = (await create()).now();
      assert.equal(typeof now, 'number');
      assert.ok(!Number.isNaN(new Date(now as number).getTime()));
    },
  },
  {
    name: 'counts milliseconds, not seconds',
    async run(create) {
      const now = (await create()).now();
      assert.ok(now >= LONG_AGO, `${now} is not a number of milliseconds since 1970`);
    },
  },
];
