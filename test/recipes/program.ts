import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { onTestFinished } from 'vitest';

/** Longer than a boot takes on a busy machine. */
const DEADLINE_MS = 60_000;

/** How a script is run. */
export interface ProgramOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints when it is ready. Default: the address that it listens at. */
  readonly ready?: RegExp;
  /** Told how to end it. Default: it is killed when the test has finished. */
  readonly finished?: (kill: () => Promise<void>) => ReturnType<typeof onTestFinished>;
}

/** A script in a process of its own. */
export interface Program {
  /** The address that it has printed; empty if it has not. */
  readonly url: string;
  /** Resolves with the exit code and everything printed, when it ends. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** Asks it to end, as a deploy does. */
  terminate(): void;
  /** Ends it at once. */
  kill(): Promise<void>;
}

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;

/**
 * Starts a script with this Node.js and waits until it is ready.
 * @throws Error with everything that it printed, when it ends or a minute passes before
 */
export async function startProgram(
  script: string,
  cwd: string,
  { env, ready = ADDRESS }: ProgramOptions,
): Promise<Program> {
  const child = spawn(process.execPath, [script], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killChild = () => void child.kill('SIGKILL');
  process.once('exit', killChild);
  const closed = once(child, 'close').finally(() => process.off('exit', killChild));

  let output = '';
  const ended = closed.then(() => ({ code: child.exitCode, output }));
  let timer: NodeJS.Timeout | undefined;
  const isReady = await new Promise<boolean>((resolve) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      if (ready.test(output)) resolve(true);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void ended.then(() => resolve(ready.test(output)));
    timer = setTimeout(() => resolve(false), DEADLINE_MS);
  }).finally(() => clearTimeout(timer));
  const kill = async () => {
    killChild();
    await ended;
  };
  if (!isReady) {
    await kill();
    throw new Error(`${script} did not become ready. It printed:\n${output}`);
  }
  return { url: ADDRESS.exec(output)?.[0] ?? '', ended, terminate: () => void child.kill('SIGTERM'), kill };
}
