import type { AcceptingJob, AcceptingServer } from '../generator/job.js';
import type { Served } from '../measure.js';
import { markdownTable, shortNumber } from '../report/markdown-table.js';
import { ACCEPTING_ONLY, OURS, ROWS, type Row } from '../rows.js';
import { MACHINE } from '../stage/machine.js';
import { prepare } from '../stage/prepare.js';
import { generate, SERVER_CORE, withPrograms } from '../stage/with-programs.js';
import { otherBuild } from './against.js';
import { BUILDS, ratiosOf } from './pair-ratios.js';

/** How many clients each server lets in, at most. */
const CONNECTIONS = 10_000;

/** The files that a process needs besides those of its connections. */
const OTHER_FILES = 500;

/**
 * Compares what it costs to let a client in with the gateways that verify the same token. The servers run at the same time, and
 * small batches of clients come to them by turns: whatever else the machine does meanwhile hits all of them alike.
 * @param against another copy of the repository, whose build is compared as well
 * @returns a table
 */
export async function compareAccepting(against: string | undefined, rounds: number): Promise<string> {
  const rows = [
    OURS,
    ...ROWS.filter(({ name }) => ACCEPTING_ONLY.has(name)),
    ...(against === undefined ? [] : [{ ...otherBuild(against), name: BUILDS.base }]),
  ];
  prepare([{ rows }]);
  const connections = Math.min(CONNECTIONS, Math.floor((MACHINE.openFiles - OTHER_FILES) / rows.length));
  const costs = new Map(rows.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const each = await acceptingCosts(rows, connections);
    rows.forEach(({ name }, at) => costs.get(name)!.push(each[at]!));
    console.log(`${round + 1} of ${rounds} rounds`);
  }
  return acceptingTable(connections, costs);
}

/** @param costs of each row in each round, in microseconds of CPU; the first row is the one that is compared */
export function acceptingTable(connections: number, costs: ReadonlyMap<string, readonly number[]>): string {
  const [first] = costs;
  const [ours, own] = first!;
  return markdownTable(
    [`${connections} connections, by turns`, 'µs of CPU for each', `${ours}, as a multiple of it`, 'middle half'],
    Array.from(costs, ([name, theirs]) => {
      const { median: ratio, quartiles } = ratiosOf(own.map((cost, round) => cost / theirs[round]!));
      const spread = quartiles.map((quartile) => quartile.toFixed(2)).join(' – ');
      return [name, shortNumber(ratiosOf(theirs).median), ...(name === ours ? ['', ''] : [ratio.toFixed(2), spread])];
    }),
  );
}

function acceptingCosts(rows: readonly Row[], connections: number): Promise<readonly number[]> {
  return withPrograms(async (start) => {
    const servers: AcceptingServer[] = [];
    for (const { program: path, repository, cwd, dialect } of rows) {
      const { first } = await start({ path, cwd, core: SERVER_CORE, ...(repository && { repository }) });
      servers.push({ ...(first as Served), dialect });
    }
    const job: AcceptingJob = { servers, connections };
    return generate<readonly number[]>(start, 'generator/accepting.ts', job);
  });
}
