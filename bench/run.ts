import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { measureDecoding } from './decoders/decoding-costs.js';
import { decodingTable } from './decoders/decoding-table.js';
import { measure } from './measure.js';
import { compareAccepting } from './pairs/accepting.js';
import { compareWith } from './pairs/against.js';
import { compareVariants } from './pairs/variants.js';
import { parseOptions, USAGE, type BenchOptions } from './options.js';
import { feasible, plan, type Step } from './plan.js';
import { shortNumber } from './report/markdown-table.js';
import { publish } from './report/publish.js';
import { stringify, type Results, type Run } from './results.js';
import { ChildProgram } from './stage/child-program.js';
import { MACHINE } from './stage/machine.js';
import { prepare, versions } from './stage/prepare.js';
import { BENCH } from './stage/program.js';
import { redisMissing } from './stage/redis-server.js';
import { suitesOf, withoutRedis, type Suite } from './suites.js';
import { QUICK, THOROUGH } from './workloads.js';

/** `npm run bench`. Exits with 1 when something could not be measured. */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const options = parseOptions(args);
  if (options.table !== undefined) {
    const results = JSON.parse(readFileSync(options.table, 'utf8')) as Results;
    publish(results, options.table, options.isForReadme);
    return 0;
  }
  if (options.isDecoders) {
    console.log(decodingTable(measureDecoding(101)));
    return 0;
  }
  endWithChildren();
  if (options.isAccepting) {
    console.log(await compareAccepting(options.against, options.pairs));
    return 0;
  }
  if (options.against !== undefined) {
    prepare([]);
    return (await compareWith(options.against, options.pairs, options.workloads)) ? 0 : 1;
  }
  if (options.isInspector || options.isMetrics) {
    prepare([]);
    return (await compareVariants(options.isInspector ? 'inspector' : 'metrics', options.pairs)) ? 0 : 1;
  }
  const wanted = suitesOf(options);
  const missing = wanted.some(({ rows }) => rows.some(({ needsRedis }) => needsRedis)) ? redisMissing() : undefined;
  const suites = missing === undefined ? wanted : withoutRedis(wanted);
  if (suites.length > 0) prepare(suites);
  let failed = missing !== undefined;
  for (const suite of suites) failed = !(await run(suite, options, fileOf(suite, suites, options))) || failed;
  if (missing !== undefined) console.error(`\nNot measured: ${missing}`);
  return failed ? 1 : 0;
}

/** @returns whether everything could be measured */
async function run(suite: Suite, options: BenchOptions, file: string): Promise<boolean> {
  const wanted = suite.workloads(options.isQuick ? QUICK : THOROUGH);
  const { workloads, notes } = feasible(wanted, MACHINE.openFiles);
  for (const note of notes) console.log(note);
  const { runs, failures } = await measureAll(plan(suite.rows, workloads, options.repetitions), options);
  const results = { machine: MACHINE, versions: versions(suite), notes: [...notes, ...failures], runs };
  mkdirSync(dirname(resolve(file)), { recursive: true });
  const text = stringify(results);
  writeFileSync(file, text);
  // Stored results have the same few digits as displayed ones.
  publish(JSON.parse(text) as Results, file, options.isForReadme);
  return failures.length === 0;
}

function endWithChildren(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      ChildProgram.killAll();
      process.exit(130);
    });
  }
}

async function measureAll(steps: readonly Step[], { profile }: BenchOptions) {
  const runs: Run[] = [];
  const failures: string[] = [];
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`];
  const start = performance.now();
  for (const [at, { repetition, workload, row }] of steps.entries()) {
    const what = `${row.name}, ${workload.name}`;
    const seconds = Math.round((performance.now() - start) / 1_000);
    const say = (outcome: string) => console.log(`${seconds} s, ${at + 1} of ${steps.length}: ${what}: ${outcome}`);
    try {
      const result = await measure(row, workload, flags);
      const { phases: _phases, rows: _rows, isLong: _isLong, ...described } = workload;
      runs.push({ row: row.name, workload: described, repetition, result });
      const figures = result.phases.map(({ cpuMicrosPerDelivery }) => shortNumber(cpuMicrosPerDelivery));
      say(`${figures.join(', ')} µs per delivery`);
      for (const { name, lost } of result.phases) if (lost !== 0) failures.push(`${what}: ${lost} lost in "${name}".`);
    } catch (error) {
      say((error as Error).message);
      failures.push(`${what} could not be measured.`);
    }
  }
  return { runs, failures };
}

/** The default file for results: only whole runs may replace those of the README. */
function fileOf({ name }: Suite, [first]: readonly Suite[], { isQuick, only, workloads, out }: BenchOptions): string {
  if (out !== undefined) return name === first!.name ? out : out.replace(/(\.json)?$/, `-${name}.json`);
  const kind = only || workloads ? 'some-' : isQuick ? 'quick-' : '';
  return join(BENCH, 'results', `${kind}${name}.json`);
}
