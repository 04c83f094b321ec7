import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import { idGeneratorContract } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

keepsItsContract('RandomIdGenerator', idGeneratorContract, () => new RandomIdGenerator());

const twin = (change: (next: () => string) => () => string) =>
  twinOf(
    () => new RandomIdGenerator(),
    (real) => ({ next: change(() => real.next()) }),
  );

canBeBroken(idGeneratorContract, {
  'makes ids of 8 to 64 letters, digits, _ or -': twin((next) => () => `${next()}=`),
  'never gives out an id twice': twin((next) => {
    let [calls, first] = [0, next()];
    return () => (calls++ % 5_000 === 0 ? first : next());
  }),
  'gives out other ids in each instance': () => counter(),
  'leaves room for 96 random bits': twin((next) => () => next().slice(0, 15)),
});

/** Counts from the same start in each instance. */
function counter() {
  let last = 0;
  return { next: () => String((last += 1)).padStart(8, '0') };
}
