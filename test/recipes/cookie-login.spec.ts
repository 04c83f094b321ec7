import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TestClient } from 'nestjs-realtime/testing';
import type { Browser } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

let recipe: Recipe;
let api: Program;
let vite: ViteDevServer;
let pageServer: Server;
let pageOrigin: string;
let browser: Browser;

beforeAll(async () => {
  recipe = await Recipe.write('cookie-login');
  // Each of the two has to know the address of the other: the server of the page listens first, and Vite answers in it later.
  pageServer = createHttpServer((request, response) => vite.middlewares(request, response));
  pageServer.listen(0, '127.0.0.1');
  await once(pageServer, 'listening');
  pageOrigin = `http://localhost:${(pageServer.address() as AddressInfo).port}`;
  api = await recipe.start('src/main.js', { env: { PAGE_ORIGIN: pageOrigin }, finished: () => undefined });
  vite = await createServer({
    root: join(recipe.folder, 'web'),
    configFile: false,
    logLevel: 'error',
    define: { 'import.meta.env.VITE_API': JSON.stringify(api.url.replace('127.0.0.1', 'localhost')) },
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await vite?.close();
  pageServer?.close();
  await api?.kill();
  await recipe?.remove();
});

/** The `Cookie` header of somebody who has logged in. */
async function sessionOf(name: string): Promise<string> {
  const { headers } = await fetch(`${api.url}/login/${name}`, { method: 'POST' });
  return headers.get('set-cookie')!.split(';')[0]!;
}

async function connect(headers: Record<string, string>): Promise<TestClient> {
  const client = await TestClient.connect(`${api.url.replace('http', 'ws')}/ws`, { headers });
  onTestFinished(() => client.close());
  return client;
}

it('opens the WebSocket of a page on another port with the cookie, and closes it on logout', async () => {
  const page = await browser.newPage();
  const state = () => page.locator('output').textContent();
  await page.goto(pageOrigin);
  await page.click('#login');
  await expect.poll(state).toBe('online as alice');

  await fetch(`${api.url}/orders/alice`, { method: 'POST' });
  await page.getByText('Order o-1').waitFor();
  expect(await page.evaluate('document.cookie')).toBe('');

  await page.reload();
  await expect.poll(state).toBe('online as alice');
  await page.click('#logout');
  await expect.poll(state).toBe('offline');
  await expect.poll(() => page.context().cookies()).toEqual([]);
});

it('refuses a client without the cookie, and tells the page so', async () => {
  await expect(connect({ Origin: pageOrigin })).rejects.toMatchObject({ status: 401 });
  expect((await fetch(`${api.url}/session`)).status).toBe(401);
});

it('lets a page from elsewhere not use the cookie', async () => {
  const Cookie = await sessionOf('alice');
  await connect({ Cookie, Origin: pageOrigin });
  await expect(connect({ Cookie, Origin: 'https://elsewhere.example' })).rejects.toMatchObject({ status: 403 });
});
