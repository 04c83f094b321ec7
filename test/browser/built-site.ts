import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, posix } from 'node:path';
import { DOCUMENTS, filesIn, REPOSITORY } from '../package/repository.js';

/** The folder that the site is built into. */
export const DIST = join(REPOSITORY, 'docs/.vitepress/dist');

const SOURCES = ['docs/.vitepress/theme', 'docs/project', 'docs/images', 'bench/results'].flatMap(filesIn);

/** Builds the site, unless it is newer than what it is made of; `npm run check` has built it already. */
export function buildSite(): void {
  const ours = readdirSync(join(REPOSITORY, 'docs/.vitepress')).filter((name) => name.endsWith('.ts'));
  const sources = [...DOCUMENTS, ...SOURCES, ...ours.map((name) => `docs/.vitepress/${name}`)];
  const changed = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Math.max(...sources.map((path) => changed(join(REPOSITORY, path)))) < changed(join(DIST, 'llms.txt'))) return;
  const run = (script: string, ...args: string[]) =>
    execFileSync(process.execPath, [join(REPOSITORY, 'node_modules', script), ...args], {
      cwd: REPOSITORY,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  run('typedoc/bin/typedoc');
  run('vitepress/bin/vitepress.js', 'build', 'docs');
}

/** The files of the built site, such as `guides/sending.html`. */
export function filesOfSite(): Set<string> {
  const entries = readdirSync(DIST, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Set(entries.map(({ parentPath, name }) => posix.join(parentPath.slice(DIST.length + 1), name)));
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Serves the site as any host of static files does. Resolves with its address and what ends it. */
export async function serveSite(): Promise<{ url: string; close(): void }> {
  const files = filesOfSite();
  const server = createServer(({ url = '/' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname.slice(1)) || 'index.html';
    if (!files.has(path)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    response.end(readFileSync(join(DIST, path)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
