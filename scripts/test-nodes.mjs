// Runs the unit, contract and e2e tests, those of many nodes on one, on every supported Node.js beside this one. The binaries
// come from the npm package `node`, each in a folder of its own below node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUPPORTED = [20, 22, 24];
const PROJECTS = ['unit', 'contract', 'e2e', 'e2e in memory'];
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const current = Number(process.versions.node.split('.')[0]);
const failed = SUPPORTED.filter((major) => major !== current).filter((major) => !passes(major));
if (failed.length > 0) console.error(`The tests fail on Node.js ${failed.join(' and ')}.`);
process.exitCode = failed.length > 0 ? 1 : 0;

function passes(major) {
  const binary = installed(major);
  if (binary === undefined) return false;
  const PATH = `${dirname(binary)}${delimiter}${process.env.PATH}`;
  const projects = PROJECTS.flatMap((name) => ['--project', name]);
  console.log(`Node.js ${run(binary, ['--version'], { stdio: 'pipe' }).stdout}`);
  return (
    run(binary, ['node_modules/vitest/vitest.mjs', 'run', ...projects], { env: { ...process.env, PATH } }).status === 0
  );
}

function installed(major) {
  const folder = join(REPOSITORY, 'node_modules/.cache', `node-${major}`);
  const binary = join(folder, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const { status } = run('npm', ['install', '--prefix', folder, '--no-save', '--no-package-lock', `node@${major}`]);
  if (status === 0 && existsSync(binary)) return binary;
  console.error(`Node.js ${major} could not be installed with npm.`);
  return undefined;
}

function run(program, args, options) {
  return spawnSync(program, args, { cwd: REPOSITORY, stdio: 'inherit', encoding: 'utf8', ...options });
}
