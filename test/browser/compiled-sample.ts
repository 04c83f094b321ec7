import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of sample 01, compiled. */
    sample: string;
  }
}

const SAMPLE = 'sample/01-notifications';

/**
 * Compiles sample 01 as `npm start` does, by its own tsconfig and against the built package, but in a copy: tests of the
 * package may build it anew while the sample runs.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { root } = project.config;
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-realtime-'));
  for (const part of [
    'package.json',
    'tsconfig.json',
    'dist',
    `${SAMPLE}/tsconfig.json`,
    `${SAMPLE}/src`,
    `${SAMPLE}/public`,
  ]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', join(folder, SAMPLE)]).catch((error: { stdout: string }) => {
    throw new Error(`Sample 01 does not compile:\n${error.stdout}`, { cause: error });
  });
  project.provide('sample', join(folder, SAMPLE));
  return () => rm(folder, { recursive: true });
}
