import { inspect, parseArgs } from 'node:util';
import { soakCluster } from './cluster.js';
import { FIGURES } from './figures.js';
import { soak } from './soak.js';

const USAGE = 'npm run soak -- --minutes 10 --seed 7, the same with --cluster, or npm run soak -- --figures';

const ON_ONE_NODE = ['lost', 'duplicated', 'out of order', 'dropped', 'unanswered', 'unhandled', 'leaked'];
const ON_A_CLUSTER = ['lost', 'duplicated', 'reordered', 'silent gap', 'contradicted', 'leaked'];

/**
 * `npm run soak -- --minutes 10 --seed 7`: exits with 1 when something did not hold. With `--cluster` it is three nodes over
 * Redis, and topics that keep a history; with `--figures` it measures instead.
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      cluster: { type: 'boolean' },
      figures: { type: 'boolean' },
    },
  });
  if (values.figures) return measure();
  const minutes = Number(values.minutes ?? 10);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error(USAGE);
  console.log(`${minutes} minutes with seed ${seed}`);
  const options = { seed, durationMs: minutes * 60_000 };
  const { violations, ...report } = await (values.cluster ? soakCluster(options) : soak(options));
  console.log(inspect(report, { depth: 3 }));
  for (const kind of values.cluster ? ON_A_CLUSTER : ON_ONE_NODE) {
    const found = (violations as Readonly<Record<string, readonly string[]>>)[kind] ?? [];
    const some = found.slice(0, 10).map((what) => `\n  ${what}`);
    console.log(`${kind}: ${found.length}${some.join('')}`);
  }
  return Object.keys(violations).length > 0 ? 1 : 0;
}

async function measure(): Promise<number> {
  for (const [what, take] of Object.entries(FIGURES)) console.log(what, await take());
  return 0;
}
