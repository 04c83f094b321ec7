import { SystemClock } from '../../lib/adapters/system/system-clock.js';
import { clockContract } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract } from './prove.js';

keepsItsContract('SystemClock', clockContract, () => new SystemClock());

canBeBroken(clockContract, {
  'tells the time as a number that makes a valid date': () => ({ now: () => Infinity }),
  'counts milliseconds, not seconds': () => ({ now: () => Date.now() / 1_000 }),
});
