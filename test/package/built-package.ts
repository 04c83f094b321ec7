import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './repository.js';

/** Builds `dist` before the tests of the package, unless it is newer than everything it is made of. */
export function setup(): void {
  const sources = ['lib', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];
  const built = statSync(join(REPOSITORY, 'dist/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Math.max(...sources.map((path) => lastChange(join(REPOSITORY, path)))) < built) return;
  execFileSync(process.execPath, [join(REPOSITORY, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** When a file, or anything below a folder, was last changed; a folder itself changes when a file in it comes or goes. */
function lastChange(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return path.endsWith('.spec.ts') ? 0 : stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => lastChange(join(path, name))));
}
