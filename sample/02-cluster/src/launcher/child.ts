import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';

const STOP_MS = 10_000;

/** However the launcher ends, its children end with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/**
 * Starts a program as a child of the launcher, in a process group of its own: Ctrl+C in a terminal goes to a whole group,
 * and here the launcher says who stops when.
 */
export function startChild(
  program: string,
  args: readonly string[],
  options: { readonly stdio: StdioOptions; readonly env?: NodeJS.ProcessEnv },
): ChildProcess {
  const child = spawn(program, args, { ...options, detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Asks a child to end, and ends it when it has not after 10 s; resolves when it is gone. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timer);
}
