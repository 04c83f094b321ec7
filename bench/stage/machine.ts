import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** The properties of a machine that explain figures. They do not identify the machine. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Whether servers and generator keep to cores of their own. */
  readonly isPinned: boolean;
  /** How many files a process may have open; each connection is one, on both sides. */
  readonly openFiles: number;
}

/** More than any workload needs; what the system allows is taken. */
const OPEN_FILES_WANTED = 131_072;

const isPinned = cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Raises what a shell, and what it becomes, may open; where that is not allowed things stay as they are. */
const RAISE = `ulimit -n ${OPEN_FILES_WANTED} 2>/dev/null || ulimit -n $(ulimit -H -n) 2>/dev/null`;

export const MACHINE: Machine = {
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  isPinned,
  openFiles: openFiles(),
};

/** The command that runs another on a core of its own, with as many open files as there may be. */
export function pinned(core: number, command: readonly string[]): readonly string[] {
  const pin = isPinned ? ['taskset', '-c', String(core)] : [];
  return ['sh', '-c', `${RAISE}; exec "$@"`, 'sh', ...pin, ...command];
}

function openFiles(): number {
  const said = execFileSync('sh', ['-c', `${RAISE}; ulimit -n`], { encoding: 'utf8' }).trim();
  return said === 'unlimited' ? Infinity : Number(said);
}
