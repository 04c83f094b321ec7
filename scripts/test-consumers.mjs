// Installs the packed package in applications of the kinds that users have, builds them and runs their main job: connect with a
// token, speak, receive a message. Arguments are names of folders in test/consumers; without any, all run. Needs `npm run build`.
//
// A folder holds what is particular of the consumer; the application in test/consumers/app is copied into its src. The file
// consumer.json says: `steps`, the commands; `install`, instead of `npm install`; `node`, other versions of Node.js for the steps;
// `app`, the folder of the application in a workspace; `quickStart`, that the README's quick start is pasted beside it.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const CONSUMERS = join(REPOSITORY, 'test/consumers');
const STEP_MS = 300_000;

const known = readdirSync(CONSUMERS).filter((name) => existsSync(join(CONSUMERS, name, 'consumer.json')));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`There is no consumer ${unknown.join(', ')}; there are: ${known.join(', ')}.`);

const root = mkdtempSync(join(tmpdir(), 'consumers-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
const tarball = pack();

const failed = (asked.length > 0 ? asked : known).filter((name) => !works(name));
for (const name of failed) console.log(`failed: consumer ${name}`);
console.log(`${(asked.length > 0 ? asked : known).length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;

function works(name) {
  const folder = join(root, name);
  cpSync(join(CONSUMERS, name), folder, { recursive: true });
  const {
    steps,
    install = 'npm install --prefer-offline --no-audit --no-fund',
    node,
    app = '.',
    quickStart = false,
  } = read(join(folder, 'consumer.json'));
  const manifestPath = join(folder, app, 'package.json');
  const manifest = read(manifestPath);
  manifest.dependencies['nestjs-realtime'] = `file:${tarball}`;
  writeFileSync(manifestPath, JSON.stringify(manifest, null, 2));
  copyApp(join(folder, app), manifest.type === 'module');
  if (quickStart) writeFileSync(join(folder, app, 'src/quick-start.ts'), endingQuickStart());
  const started = Date.now();
  const broken = [node].flat().some((version, index) => {
    const env = {
      ...process.env,
      ...(version !== undefined && { PATH: `${binariesOf(version)}${delimiter}${process.env.PATH}` }),
    };
    return [...(index === 0 ? [install] : []), ...steps].some((step) => !run(step, folder, env, name));
  });
  console.log(`${broken ? 'FAILED' : 'ok'}: ${name} (${Math.round((Date.now() - started) / 1000)} s)`);
  rmSync(folder, { recursive: true, force: true });
  return !broken;
}

/** CommonJS applications leave the `.js` out, as the Nest CLI writes them. */
function copyApp(folder, isModule) {
  const src = join(folder, 'src');
  mkdirSync(src, { recursive: true });
  for (const file of readdirSync(join(CONSUMERS, 'app'))) {
    const text = readFileSync(join(CONSUMERS, 'app', file), 'utf8');
    writeFileSync(join(src, file), isModule ? text : text.replaceAll(/'(\.\/\w+)\.js'/g, "'$1'"));
  }
}

/** The README's quick start on a free port, which sends one order and ends. */
function endingQuickStart() {
  const [, code] = /```ts quick-start\n([^]*?)\n```/.exec(readFileSync(join(REPOSITORY, 'README.md'), 'utf8'));
  const sends = `await app.listen(0, '127.0.0.1');
  const { status } = await fetch((await app.getUrl()) + '/orders/42', { method: 'POST' });
  if (status !== 201) throw new Error('The order was answered with ' + status);`;
  return code
    .replace('await app.listen(3000);', () => sends)
    .replace(/\}\nvoid bootstrap/, '  await app.close();\n}\nvoid bootstrap');
}

function run(command, cwd, env, name) {
  const { status, stdout, stderr, error } = spawnSync(command, {
    cwd,
    env,
    shell: true,
    encoding: 'utf8',
    timeout: STEP_MS,
  });
  if (status === 0) return true;
  console.log(`${name}: "${command}" ended with ${error?.code ?? status}\n${stdout}${stderr}`);
  return false;
}

function pack() {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', root];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: REPOSITORY, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return join(root, JSON.parse(stdout)[0].filename);
}

/** The folder of the binaries of another version of Node.js, from the npm package `node`. */
function binariesOf(major) {
  if (Number(process.versions.node.split('.')[0]) === major) return dirname(process.execPath);
  const folder = join(REPOSITORY, 'node_modules/.cache', `node-${major}`);
  const binary = join(folder, 'node_modules/node/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    spawnSync('npm', ['install', '--prefix', folder, '--no-save', '--no-package-lock', `node@${major}`], {
      encoding: 'utf8',
    });
  }
  return dirname(binary);
}

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
