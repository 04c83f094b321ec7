import type { Row } from './rows.js';
import type { Workload } from './workload.js';

/** Files that a process has open beside its connections. */
const OTHER_FILES = 200;

/** One workload against one server. */
export interface Step {
  readonly repetition: number;
  readonly workload: Workload;
  readonly row: Row;
}

/**
 * In which order things are measured. What is compared is measured one right after the other, since a machine is faster at one time
 * than at another; and every other time in reverse, since it may get slower while it goes on.
 */
export function plan(rows: readonly Row[], workloads: readonly Workload[], repetitions: number): readonly Step[] {
  return Array.from({ length: repetitions }, (_, repetition) => {
    const order = repetition % 2 === 0 ? rows : [...rows].reverse();
    const due = workloads.filter((workload) => repetition < (workload.repetitions ?? Infinity));
    return due.flatMap((workload) =>
      order.filter((row) => takesPart(row, workload)).map((row) => ({ repetition, workload, row })),
    );
  }).flat();
}

/** Servers without handlers get no questions, and no server gets a workload that it does not support. */
function takesPart({ name, dialect }: Row, { phases, rows }: Workload): boolean {
  if (rows && !rows.includes(name)) return false;
  const isAsked = (kind: string) => kind === 'ask' || kind === 'bystand';
  return dialect.ask !== undefined || phases.some(({ kind }) => !isAsked(kind));
}

/** The part of the plan that this machine can run, and the changes made to it, in prose. */
export interface Feasible {
  readonly workloads: readonly Workload[];
  readonly notes: readonly string[];
}

/**
 * Makes workloads smaller that have more connections than a process may have open files; a workload that says what
 * happens with so many connections and no others is left out.
 */
export function feasible(workloads: readonly Workload[], openFiles: number): Feasible {
  const most = Math.floor((openFiles - OTHER_FILES) / 1_000) * 1_000;
  const notes: string[] = [];
  const fitting = workloads.flatMap((workload) => {
    const { name, connections, grows } = workload;
    if (connections <= openFiles - OTHER_FILES) return [workload];
    const because = `a process may open ${openFiles.toLocaleString('en')} files here (ulimit -H -n)`;
    if (grows !== 'connections' || workloads.some((other) => other.grows && other.connections === most)) {
      notes.push(`"${name}" was left out: ${because}.`);
      return [];
    }
    notes.push(`${most.toLocaleString('en')} connections instead of ${connections.toLocaleString('en')}: ${because}.`);
    return [{ ...workload, name: `${grows}-${most}`, connections: most, topics: most / workload.subscribersPerTopic }];
  });
  return { workloads: fitting, notes };
}
