import { inspect, parseArgs } from 'node:util';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Flaw } from '../faults/load/node/flaws.js';
import { soakCluster } from './cluster.js';
import { FIGURES } from './figures.js';
import { GROUNDS, type Backend } from './nodes/grounds.js';
import { soakNodes } from './nodes/run.js';
import { soak } from './soak.js';

const USAGE =
  'npm run soak -- --minutes 10 --seed 7, the same with --on redis|cluster|replica|sentinel or --cluster, or npm run soak -- --figures';

const ON_ONE_NODE = ['lost', 'duplicated', 'out of order', 'dropped', 'unanswered', 'unhandled', 'leaked'];
const ON_A_CLUSTER = ['lost', 'duplicated', 'reordered', 'silent gap', 'contradicted', 'leaked'];

/**
 * `npm run soak -- --minutes 10 --seed 7`: exits with 1 when something did not hold. With `--cluster` it is three nodes over
 * Redis, and topics that keep a history; with `--figures` it measures instead. `--flaw` takes a defence of the nodes away, by which
 * a run with `--on` is to fail: `--flaw 'missed orders are lost'`.
 */
export async function main(args: string[]): Promise<number> {
  // Servers are ended when this process exits, which it does not by itself when a signal ends it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      cluster: { type: 'boolean' },
      on: { type: 'string' },
      figures: { type: 'boolean' },
      flaw: { type: 'string', multiple: true },
    },
  });
  if (values.figures) return measure();
  const minutes = Number(values.minutes ?? 10);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error(USAGE);
  console.log(`${minutes} minutes with seed ${seed}`);
  const options = { seed, durationMs: minutes * 60_000 };
  if (values.on !== undefined) {
    if (!Object.hasOwn(GROUNDS, values.on)) throw new Error(USAGE);
    return soakOn({ ...options, on: values.on as Backend, spec: { flaws: (values.flaw ?? []) as Flaw[] } });
  }
  const { violations, ...report } = await (values.cluster ? soakCluster(options) : soak(options));
  console.log(inspect(report, { depth: 3 }));
  for (const kind of values.cluster ? ON_A_CLUSTER : ON_ONE_NODE) {
    const found = (violations as Readonly<Record<string, readonly string[]>>)[kind] ?? [];
    const some = found.slice(0, 10).map((what) => `\n  ${what}`);
    console.log(`${kind}: ${found.length}${some.join('')}`);
  }
  return Object.keys(violations).length > 0 ? 1 : 0;
}

/** Three node processes over Redis; a run in which something did not hold says what happened around it. */
async function soakOn(options: Parameters<typeof soakNodes>[0]): Promise<number> {
  const { findings, record, log, ...report } = await soakNodes(options);
  console.log(inspect(report, { depth: 3 }));
  const kinds = new Map<string, number>();
  for (const { kind, what, at, around } of findings) {
    const times = (kinds.get(kind) ?? 0) + 1;
    kinds.set(kind, times);
    if (times > 5) continue;
    console.log(`\n${kind}: ${what}${at === undefined ? '' : ` at ${(at / 1_000).toFixed(3)} s`}`);
    for (const line of around) console.log(`    ${line}`);
  }
  console.log(`\n${findings.length} violations with seed ${report.seed} on ${report.on}`, Object.fromEntries(kinds));
  if (findings.length === 0) return 0;
  const file = join(tmpdir(), `nestjs-realtime-soak-${report.on}-${report.seed}.json`);
  const plain = (_key: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
  await writeFile(file, JSON.stringify({ findings, record, log }, plain));
  console.log(`All that was written down: ${file}`);
  return 1;
}

async function measure(): Promise<number> {
  for (const [what, take] of Object.entries(FIGURES)) console.log(what, await take());
  return 0;
}
