import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../rows.js';
import type { Suite } from '../suites.js';
import { BENCH, REPOSITORY } from './program.js';

/** The compared servers and the packages that they need. */
const COMPARED = ['@nestjs/core', '@nestjs/platform-ws', '@nestjs/platform-socket.io', 'ws', 'socket.io'];

/** The additional packages that peers need to run on several nodes. */
const BETWEEN = ['@socket.io/redis-adapter', '@socket.io/redis-streams-adapter', 'ioredis'];

/** Builds the package, and installs the peers when they are needed and not there as they should be. */
export function prepare(suites: readonly Pick<Suite, 'rows'>[]): void {
  npm(['run', 'build'], REPOSITORY);
  if (suites.some(({ rows }) => rows.some(isPeer)) && !isInstalled()) npm(['ci'], BENCH);
}

/** The versions of the package and of what it is compared with, as they are installed for it and for them. */
export function versions({ rows }: Pick<Suite, 'rows'>): Record<string, string> {
  const hasPeers = rows.some(isPeer);
  const needsRedis = rows.some((row) => row.needsRedis);
  const folder = hasPeers ? BENCH : REPOSITORY;
  const names = [...COMPARED, ...(hasPeers && needsRedis ? BETWEEN : [])];
  const others = names.map((name) => [name, versionIn(join(folder, 'node_modules', name))]);
  return { 'nestjs-realtime': versionIn(REPOSITORY), ...Object.fromEntries(others) };
}

function isPeer({ cwd }: Row): boolean {
  return cwd === BENCH;
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
