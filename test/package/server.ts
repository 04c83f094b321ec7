import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const DEADLINE_MS = 30_000;

/** A server in a process of its own. */
export interface Server {
  /** The texts printed after a word and a colon, as in `token: abc`, by word. */
  readonly printed: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

/**
 * Starts a script with this Node.js and waits until it has printed each of the words, with something behind it.
 * @throws Error with everything that the server said, when it ends or 30 seconds pass before
 */
export async function startServer(script: string, cwd: string, words: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, [script], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = new Map<string, string>();
  const lines: string[] = [];
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill();
    await ended;
  };
  const ready = new Promise<void>((resolve) => {
    const listen = (line: string) => {
      lines.push(line);
      const [, word, text] = /^(\w+): (\S+)$/.exec(line) ?? [];
      if (word) printed.set(word, text!);
      if (words.every((name) => printed.has(name))) resolve();
    };
    createInterface(child.stdout).on('line', listen);
    createInterface(child.stderr).on('line', listen);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, DEADLINE_MS)));
  await Promise.race([ready, ended, late]).finally(() => clearTimeout(timer));
  if (child.exitCode !== null || words.some((word) => !printed.has(word))) {
    await stop();
    throw new Error(`The server did not start. It said:\n${lines.join('\n')}`);
  }
  return { printed, stop };
}
