import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the samples, compiled. */
    samples: string;
  }
}

const SAMPLES = ['01-notifications', '02-cluster', '03-ai-chat'];

const PARTS = [
  'package.json',
  'tsconfig.json',
  'dist',
  ...SAMPLES.flatMap((sample) => ['tsconfig.json', 'src', 'public'].map((part) => join('sample', sample, part))),
];

/**
 * Compiles the samples as `npm start` does, by their own tsconfigs and against the built package, but in a copy: tests of
 * the package may be rebuilt while a sample runs. Returns what removes the copy.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-realtime-'));
  const remove = () => rm(folder, { recursive: true });
  try {
    await compileCopy(project.config.root, folder);
  } catch (error) {
    await remove();
    throw error;
  }
  project.provide('samples', join(folder, 'sample'));
  return remove;
}

async function compileCopy(root: string, folder: string): Promise<void> {
  for (const part of PARTS) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  for (const sample of SAMPLES) {
    const project = join(folder, 'sample', sample);
    await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch((error: { stdout: string }) => {
      throw new Error(`Sample ${sample} does not compile:\n${error.stdout}`, { cause: error });
    });
  }
}
