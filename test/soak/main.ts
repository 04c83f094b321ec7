import { inspect, parseArgs } from 'node:util';
import { FIGURES } from './figures.js';
import { soak } from './soak.js';

const USAGE = 'npm run soak -- --minutes 10 --seed 7, or npm run soak -- --figures';

/** `npm run soak -- --minutes 10 --seed 7`: exits with 1 when something did not hold. With `--figures` it measures instead. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: 'string' }, seed: { type: 'string' }, figures: { type: 'boolean' } },
  });
  if (values.figures) return measure();
  const minutes = Number(values.minutes ?? 10);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error(USAGE);
  console.log(`${minutes} minutes with seed ${seed}`);
  const { violations, ...report } = await soak({ seed, durationMs: minutes * 60_000 });
  console.log(inspect(report, { depth: 3 }));
  for (const kind of ['lost', 'duplicated', 'out of order', 'dropped', 'unanswered', 'unhandled', 'leaked'] as const) {
    const found = violations[kind] ?? [];
    console.log(
      `${kind}: ${found.length}${found
        .slice(0, 10)
        .map((what) => `\n  ${what}`)
        .join('')}`,
    );
  }
  return Object.keys(violations).length > 0 ? 1 : 0;
}

async function measure(): Promise<number> {
  for (const [what, take] of Object.entries(FIGURES)) console.log(what, await take());
  return 0;
}
