import { execFile } from 'node:child_process';
import { REPOSITORY } from './repository.js';

/** The output of a program. */
export interface Outcome {
  /** 0 when it was content. */
  readonly code: number;
  readonly stdout: string;
  /** Both streams, first what it wrote to `stdout`. */
  readonly output: string;
}

/** Runs a program to its end; that it failed is for the caller to judge. */
export function run(program: string, args: readonly string[], cwd: string = REPOSITORY): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      if (typeof code !== 'number') reject(error);
      else resolve({ code, stdout, output: stdout + stderr });
    });
  });
}

/** Runs a script with this Node.js. */
export function runNode(script: string, args: readonly string[] = [], cwd?: string): Promise<Outcome> {
  return run(process.execPath, [script, ...args], cwd);
}
