import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../rows.js';
import { BENCH, REPOSITORY } from './program.js';

/** What is compared, and what it stands on. */
const COMPARED = ['@nestjs/core', '@nestjs/platform-ws', '@nestjs/platform-socket.io', 'ws', 'socket.io'];

/** Builds the package, and installs the peers when one of them is to be measured and they are not there as they should be. */
export function prepare(rows: readonly Row[]): void {
  npm(['run', 'build'], REPOSITORY);
  if (rows.some(({ cwd }) => cwd === BENCH) && !isInstalled()) npm(['ci'], BENCH);
}

/** The versions of the package and of what it is compared with, as they are installed for it and for them. */
export function versions(rows: readonly Row[]): Record<string, string> {
  const folder = rows.some(({ cwd }) => cwd === BENCH) ? BENCH : REPOSITORY;
  const others = COMPARED.map((name) => [name, versionIn(join(folder, 'node_modules', name))]);
  return { 'nestjs-realtime': versionIn(REPOSITORY), ...Object.fromEntries(others) };
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

/** npm writes the second file when it has installed what the first one says. */
function isInstalled(): boolean {
  const [wanted, installed] = ['package-lock.json', 'node_modules/.package-lock.json'].map(
    (path) => statSync(join(BENCH, path), { throwIfNoEntry: false })?.mtimeMs,
  );
  return installed !== undefined && installed >= wanted!;
}

function npm(args: readonly string[], cwd: string): void {
  const { status } = spawnSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} has failed.`);
}
