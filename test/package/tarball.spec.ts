import { TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runNode, type Outcome } from './child.js';
import { FreshApp } from './fresh-app.js';
import { codeBlocks } from './markdown.js';
import { DOCUMENTS, filesIn, read } from './repository.js';
import { startServer } from './server.js';

const { peerDependencies, peerDependenciesMeta } = JSON.parse(read('package.json')) as {
  peerDependencies: object;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
};
const PEERS = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta?.[name]?.optional);

const EVERYTHING = `export * as core from 'nestjs-realtime/core';
export * as root from 'nestjs-realtime';
export * as inspector from 'nestjs-realtime/inspector';
export * as jwks from 'nestjs-realtime/jwks';
export * as ports from 'nestjs-realtime/ports';
export * as testing from 'nestjs-realtime/testing';
`;

/** Entry points whose peers the README's command does not install. */
const OPTIONAL = ['otel', 'prometheus', 'terminus'];

let app: FreshApp;
let tarball: string;
let files: readonly string[];

beforeAll(async () => {
  app = await FreshApp.create();
  ({ tarball, files } = await app.pack());
}, 60_000);

afterAll(() => app?.remove());

describe('the tarball', () => {
  it('holds the documents, what Prometheus and Grafana take, and dist, and nothing else', () => {
    const guides = DOCUMENTS.filter((path) => path.startsWith('docs/'));
    const forMonitoring = filesIn('docs/operations');
    const documents = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      ...guides,
      ...forMonitoring,
      'package.json',
    ];
    expect(files.filter((path) => !path.startsWith('dist/')).toSorted()).toEqual(documents.toSorted());
  });

  it('holds of dist what was compiled from lib, without its specs', () => {
    const compiled = filesIn('lib')
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
      .map((path) => path.replace(/^lib\/(.+)\.ts$/, 'dist/$1'));
    const expected = compiled.flatMap((path) => [`${path}.d.ts`, `${path}.js`]).sort();
    expect(files.filter((path) => path.startsWith('dist/'))).toEqual(expected);
  });

  it('satisfies publint', async () => {
    const { code, output } = await runNode('node_modules/publint/src/cli.js', ['run', tarball, '--strict']);
    expect(code, output).toBe(0);
  });

  it('satisfies attw', async () => {
    const attw = 'node_modules/@arethetypeswrong/cli/dist/index.js';
    const { code, output } = await runNode(attw, [tarball, '--profile', 'esm-only']);
    expect(code, output).toBe(0);
  });
});

describe('a fresh application', () => {
  let installation: Outcome;
  let compilation: Outcome;

  beforeAll(async () => {
    const [program, ...args] = installCommand().split(' ');
    installation = await app.run(
      program!,
      args.map((arg) => (arg === 'nestjs-realtime' ? tarball : arg)),
    );
    if (installation.code !== 0) throw new Error(installation.output);
    await app.write('src/express.ts', quickStart());
    await app.write('src/fastify.ts', onFastify(quickStart()));
    await app.write('src/commonjs.cts', quickStart());
    await app.write('src/everything.ts', EVERYTHING);
    compilation = await runNode('node_modules/typescript/bin/tsc', ['-p', '.'], app.folder);
  }, 180_000);

  it("is told nothing about peers or this package by npm, given the README's command", () => {
    const lines = installation.output.split('\n');
    expect(lines.filter((line) => /ERESOLVE|peer|nestjs-realtime/i.test(line))).toEqual([]);
  });

  it('has all peers that npm finds valid', async () => {
    const { code, output } = await app.run('npm', ['ls', 'nestjs-realtime', ...PEERS]);
    expect(code, output).toBe(0);
  });

  it("compiles the README's quick start, and the declarations of every entry point", () => {
    expect(compilation.output).toBe('');
  });

  it.each(OPTIONAL)('loads nestjs-realtime/%s without the peer of it', async (entry) => {
    await app.write('optional.mjs', `console.log(Object.keys(await import('nestjs-realtime/${entry}')).length);`);
    const { code, output } = await runNode('optional.mjs', [], app.folder);
    expect(code, output).toBe(0);
  });

  it.each([
    ['on Express', 'dist/express.js'],
    ['on Fastify', 'dist/fastify.js'],
    ['in CommonJS', 'dist/commonjs.cjs'],
  ])("delivers what the README's quick start promises %s", async (_where, script) => {
    const server = await startServer(script, app.folder, ['url', 'token']);
    onTestFinished(() => server.stop());
    const url = server.printed.get('url')!;
    const client = await TestClient.connect(`${url.replace('http', 'ws')}/ws`, { token: server.printed.get('token')! });

    await client.request({ action: 'subscribe', topic: 'chat:lobby' });
    const reply = await client.request({ action: 'message', topic: 'chat:lobby', type: 'say', payload: 'hello' });
    const said = await client.next('said');
    const response = await fetch(`${url}/orders/42`, { method: 'POST' });
    const order = await client.next('order.created');
    await client.close();

    expect(reply).toMatchObject({ type: 'realtime:reply', payload: { ok: true } });
    expect(said).toMatchObject({ topic: 'chat:lobby', payload: { from: '42', text: 'hello' } });
    expect(await response.json()).toMatchObject({ recipients: 1, complete: true });
    expect(order.payload).toEqual({ id: 'o-1' });
  });
});

/** The command that the README tells to install the package with. */
function installCommand(): string {
  const commands = codeBlocks(read('README.md')).map(({ code }) => code.trim());
  return commands.find((code) => code.startsWith('npm i nestjs-realtime '))!;
}

/** The README's quick start, made to listen on a free port and to say which. */
function quickStart(): string {
  const { code } = codeBlocks(read('README.md')).find(({ info }) => info === 'ts quick-start')!;
  return replaced(
    code,
    'await app.listen(3000);',
    "await app.listen(0, '127.0.0.1');\n  console.log('url:', await app.getUrl());",
  );
}

function onFastify(code: string): string {
  const created = 'NestFactory.create(AppModule)';
  const fastify = "import { FastifyAdapter } from '@nestjs/platform-fastify';\n";
  return fastify + replaced(code, created, 'NestFactory.create(AppModule, new FastifyAdapter())');
}

/** Replaces what stands in a text exactly once. */
function replaced(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`"${from}" must stand in the README's quick start once.`);
  return text.replace(from, () => to);
}
