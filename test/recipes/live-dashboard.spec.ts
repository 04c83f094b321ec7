import { expect, it } from 'vitest';
import { Stand } from './stand.js';
import { PATIENCE_MS, subscribe, visitor } from './visitor.js';

const stand = Stand.of('live-dashboard');

const post = (path: string) => fetch(stand.program.url + path, { method: 'POST' });

it('shows a burst of sales in few updates, and the last one has all of them', async () => {
  const admin = await visitor(stand.program, 'admin');
  await subscribe(admin, 'dashboard');
  const BURST = 40;
  await Promise.all(Array.from({ length: BURST }, () => post('/sales/10')));
  let updates = 0;
  for (;;) {
    const { payload } = await admin.next('figures', PATIENCE_MS);
    updates += 1;
    if (payload.orders === BURST) break;
  }
  expect(updates).toBeLessThan(BURST / 2);
});

it('shows the figures at once in a page that is opened or reloaded', async () => {
  const page = await stand.browser.newPage();
  await page.goto(stand.program.url);
  await post('/sales/1000000');
  const revenue = async () => Number(await page.locator('#revenue').textContent());
  await expect.poll(revenue).toBeGreaterThanOrEqual(1_000_000);
  await page.reload();
  await expect.poll(revenue).toBeGreaterThanOrEqual(1_000_000);
});

it('is closed to everybody but admins', async () => {
  const customer = await visitor(stand.program, 'customer');
  const { payload } = await subscribe(customer, 'dashboard');
  expect(payload).toMatchObject({ code: 'FORBIDDEN' });
});
