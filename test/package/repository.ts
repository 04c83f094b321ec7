import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

/** The paths of all files below a folder of the repository, such as `lib/core/topic/topic.ts`; installed packages are left out. */
export function filesIn(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(REPOSITORY, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !path.includes('node_modules/'))
    .sort();
}

/** The documents that people read: those in the root and in `docs`, that of the benchmarks, and one in each sample. */
export const DOCUMENTS = [...readdirSync(REPOSITORY), ...['bench', 'docs', 'sample'].flatMap(filesIn)]
  .filter((path) => path.endsWith('.md') && !/^docs\/(reference\/api|\.vitepress|project)\//.test(path))
  .sort();
