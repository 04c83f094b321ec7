import { TestClient } from 'nestjs-realtime/testing';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

let recipe: Recipe;
let shop: Program;
let browser: Browser;

beforeAll(async () => {
  recipe = await Recipe.write('live-dashboard');
  shop = await recipe.start('src/main.js', { finished: () => undefined });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await shop?.kill();
  await recipe?.remove();
});

const post = (path: string) => fetch(shop.url + path, { method: 'POST' });

async function viewer(role: string): Promise<TestClient> {
  const { token } = (await (await post(`/login/${role}`)).json()) as { token: string };
  const client = await TestClient.connect(`${shop.url.replace('http', 'ws')}/ws`, { token });
  onTestFinished(() => client.close());
  return client;
}

it('shows a burst of sales in few updates, and the last one has all of them', async () => {
  const admin = await viewer('admin');
  await admin.request({ action: 'subscribe', topic: 'dashboard' });
  const BURST = 40;
  await Promise.all(Array.from({ length: BURST }, () => post('/sales/10')));
  let updates = 0;
  for (;;) {
    const { payload } = await admin.next('figures');
    updates += 1;
    if (payload.orders === BURST) break;
  }
  expect(updates).toBeLessThan(BURST / 2);
});

it('shows the figures at once in a page that is opened or reloaded', async () => {
  const page = await browser.newPage();
  await page.goto(shop.url);
  await post('/sales/1000000');
  const revenue = async () => Number(await page.locator('#revenue').textContent());
  await expect.poll(revenue).toBeGreaterThanOrEqual(1_000_000);
  await page.reload();
  await expect.poll(revenue).toBeGreaterThanOrEqual(1_000_000);
});

it('is closed to everybody but admins', async () => {
  const customer = await viewer('customer');
  const { payload } = await customer.request({ action: 'subscribe', topic: 'dashboard' });
  expect(payload).toMatchObject({ code: 'FORBIDDEN' });
});
