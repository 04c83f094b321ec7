import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';
import { PATIENCE_MS, visitor } from './visitor.js';

let recipe: Recipe;
let shop: Program;
let browser: Browser;

beforeAll(async () => {
  recipe = await Recipe.write('notifications');
  shop = await recipe.start('src/main.js', { finished: () => undefined });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await shop?.kill();
  await recipe?.remove();
});

const post = (path: string) => fetch(shop.url + path, { method: 'POST' });

async function tabOf(user: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${shop.url}/?as=${user}`);
  return page;
}

const unread = (page: Page) => page.locator('output').textContent();

it('counts in every tab of the user, and clears all of them when one is read', async () => {
  const tabs = [await tabOf('alice'), await tabOf('alice')];
  await post('/ship/alice');
  for (const tab of tabs) await expect.poll(() => unread(tab)).toBe('1');
  await tabs[0]!.click('#bell');
  for (const tab of tabs) await expect.poll(() => unread(tab)).toBe('0');
});

it('shows a tab that was closed meanwhile what it has missed', async () => {
  await post('/ship/bob');
  await post('/ship/bob');
  const tab = await tabOf('bob');
  await expect.poll(() => unread(tab)).toBe('2');
  expect(await tab.locator('li').allTextContents()).toEqual(Array(2).fill('Your order is on its way'));
});

it('tells a user nothing of the notifications of others', async () => {
  const carol = await visitor(shop, 'carol');
  await post('/ship/dave');
  await post('/ship/carol');
  const message = await carol.next('notification.created', PATIENCE_MS);
  await carol.settled();
  expect(message.payload).toMatchObject({ text: 'Your order is on its way', read: false });
  expect(carol.pending.filter(({ type }) => type.startsWith('notification'))).toEqual([]);
});
