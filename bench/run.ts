import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { measure } from './measure.js';
import { chosen, parseOptions, USAGE, type BenchOptions } from './options.js';
import { feasible, plan, type Step } from './plan.js';
import { shortNumber } from './report/markdown-table.js';
import { publish } from './report/publish.js';
import { stringify, type Results, type Run } from './results.js';
import { ROWS } from './rows.js';
import { ChildProgram } from './stage/child-program.js';
import { MACHINE } from './stage/machine.js';
import { prepare, versions } from './stage/prepare.js';
import { BENCH } from './stage/program.js';
import { comparison, growth, QUICK, THOROUGH } from './workloads.js';

/** `npm run bench`. Exits with 1 when something could not be measured. */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const options = parseOptions(args);
  const file = options.table ?? options.out ?? join(BENCH, 'results', `${fileName(options)}.json`);
  if (options.table !== undefined) {
    publish(JSON.parse(readFileSync(file, 'utf8')) as Results, file, options.isForReadme);
    return 0;
  }
  endWithChildren();
  const rows = chosen(ROWS, options.only);
  const timing = options.isQuick ? QUICK : THOROUGH;
  const wanted = chosen(options.isGrowth ? growth(timing) : comparison(timing), options.workloads);
  const { workloads, notes } = feasible(wanted, MACHINE.openFiles);
  for (const note of notes) console.log(note);
  prepare(rows);
  const { runs, failures } = await measureAll(plan(rows, workloads, options.repetitions), options);
  const results = { machine: MACHINE, versions: versions(rows), notes: [...notes, ...failures], runs };
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, stringify(results));
  publish(results, file, options.isForReadme);
  return failures.length > 0 ? 1 : 0;
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
      const { phases: _phases, ...described } = workload;
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

/** What results are called that nobody has given a name: those of the README are whole runs. */
function fileName({ isQuick, isGrowth, only, workloads }: BenchOptions): string {
  const name = isGrowth ? 'growth' : 'comparison';
  if (only || workloads) return `some-${name}`;
  return isQuick ? `quick-${name}` : name;
}
