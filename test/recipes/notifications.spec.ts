import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Stand } from './stand.js';
import { PATIENCE_MS, visitor } from './visitor.js';

const stand = Stand.of('notifications');

const post = (path: string) => fetch(stand.program.url + path, { method: 'POST' });

async function tabOf(user: string): Promise<Page> {
  const page = await stand.browser.newPage();
  await page.goto(`${stand.program.url}/?as=${user}`);
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
  const carol = await visitor(stand.program, 'carol');
  await post('/ship/dave');
  await post('/ship/carol');
  const message = await carol.next('notification.created', PATIENCE_MS);
  await carol.settled();
  expect(message.payload).toMatchObject({ text: 'Your order is on its way', read: false });
  expect(carol.pending.filter(({ type }) => type.startsWith('notification'))).toEqual([]);
});
