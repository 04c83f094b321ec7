import assert from 'node:assert/strict';
import type { IdGenerator } from '../../ports/id-generator.js';
import type { ContractCase } from './contract-case.js';

const SAMPLES = 10_000;
const MIN_BITS = 96;

/**
 * Guarantees of every `IdGenerator`.
 * @publicApi
 */
export const idGeneratorContract: readonly ContractCase<IdGenerator>[] = [
  {
    name: 'makes ids of 8 to 64 letters, digits, _ or -',
    async run(create) {
      for (const id of await sample(create)) assert.match(id, /^[A-Za-z0-9_-]{8,64}$/);
    },
  },
  {
    name: 'never gives out an id twice',
    async run(create) {
      const ids = await sample(create);
      assert.equal(new Set(ids).size, ids.length);
    },
  },
  {
    name: 'gives out other ids in each instance',
    async run(create) {
      const [ids, others] = [await sample(create), await sample(create)];
      assert.equal(new Set([...ids, ...others]).size, ids.length + others.length);
    },
  },
  {
    name: `leaves room for ${MIN_BITS} random bits`,
    async run(create) {
      const bits = mostBits(await sample(create));
      assert.ok(bits >= MIN_BITS, `the characters that were seen carry at most ${bits.toFixed(1)} bits`);
    },
  },
];

async function sample(create: () => IdGenerator | Promise<IdGenerator>): Promise<string[]> {
  const generator = await create();
  return Array.from({ length: SAMPLES }, () => generator.next());
}

/** Returns an upper bound of the entropy, from the number of different characters at each place. No test can prove randomness. */
function mostBits(ids: readonly string[]): number {
  const places = Array.from({ length: Math.max(...ids.map(({ length }) => length)) }, (_, place) => place);
  return places.reduce((bits, place) => bits + Math.log2(new Set(ids.map((id) => id[place])).size), 0);
}
