import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** A program beside Node.js that tests cannot do without. */
export interface SystemProgram {
  /** Names of the program, the preferred one first. */
  readonly names: readonly string[];
  /** The environment variable that may say where it is. */
  readonly pathVariable: string;
  /** The Debian packages that bring it. */
  readonly packages: readonly string[];
  /** Instructions if it is missing. */
  readonly cure: string;
}

const APT_LOCK = join(tmpdir(), 'nestjs-realtime-apt.lock');

/**
 * The path of a program: as its variable says, or else among the programs of this machine; failing that, it is installed
 * where apt and root allow it. Rejects with what to do otherwise.
 */
export async function locate(program: SystemProgram): Promise<string> {
  return find(program) ?? (await install(program));
}

function find({ names, pathVariable }: SystemProgram): string | undefined {
  const wanted = process.env[pathVariable];
  if (wanted) {
    if (isExecutable(wanted)) return wanted;
    throw new Error(`${pathVariable} is ${wanted}, where there is nothing to execute`);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function install(program: SystemProgram): Promise<string> {
  if (process.getuid?.() !== 0) throw new Error(program.cure);
  try {
    await aptGet('update');
    await aptGet('install', '--yes', '--no-install-recommends', ...program.packages);
  } catch (cause) {
    throw new Error(`${program.cure} Installing it with apt-get failed.`, { cause });
  }
  const installed = find(program);
  if (!installed) throw new Error(program.cure);
  return installed;
}

/**
 * Test files run in several processes, and apt-get gives up where another one is at work: they take turns. Its output,
 * which is long, stands in the error when it fails, and nowhere else.
 */
async function aptGet(...args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const command = [APT_LOCK, 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', ...args];
  await promisify(execFile)('flock', command, { env, maxBuffer: 2 ** 26 });
}
