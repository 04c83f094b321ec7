// Runs the unit, contract, e2e and faults tests on Nest 11: in a copy of the repository, below the system's temporary
// folder, whose packages are those of package-lock.json except for the ones of Nest. Arguments for Vitest take the place of
// the list of projects, as in `npm run test:nest11 -- --project unit lib/handlers`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEST_11 = {
  '@nestjs/common': '11.2.10',
  '@nestjs/core': '11.2.10',
  '@nestjs/jwt': '11.0.2',
  '@nestjs/platform-express': '11.2.10',
  '@nestjs/platform-fastify': '11.2.8',
  '@nestjs/platform-socket.io': '11.2.6',
  '@nestjs/platform-ws': '11.2.6',
  '@nestjs/terminus': '11.1.1',
  '@nestjs/testing': '11.2.6',
  '@nestjs/websockets': '11.2.6',
};
/** With the stages of `e2e on …`, on Redis, the same code of Nest would be tested several times over. */
const PROJECTS = ['unit', 'contract', 'e2e', 'e2e in memory', 'faults', 'faults on Redis'];
const LEFT_OUT = new Set(['node_modules', 'dist', '.git', 'coverage']);
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const copy = mkdtempSync(join(tmpdir(), 'nestjs-realtime-nest11-'));
try {
  process.exitCode = install() || test(process.argv.slice(2));
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** Gives the exit code. */
function install() {
  cpSync(REPOSITORY, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  const path = join(copy, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  Object.assign(manifest.devDependencies, NEST_11);
  writeFileSync(path, JSON.stringify(manifest, null, 2));
  return run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund']);
}

/** Gives the exit code. */
function test(args) {
  console.log(`Nest ${NEST_11['@nestjs/core']}`);
  const projects = PROJECTS.flatMap((name) => ['--project', name]);
  return run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...(args.length > 0 ? args : projects)]);
}

function run(program, args) {
  const { status } = spawnSync(program, args, { cwd: copy, stdio: 'inherit' });
  return status ?? 1;
}
