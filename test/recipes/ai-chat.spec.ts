import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { Stand } from './stand.js';
import { PATIENCE_MS, subscribe, visitor } from './visitor.js';

const WHOLE = /^You asked “why\?”\. A real model would answer here, .* as it takes\.$/;

const stand = Stand.of('ai-chat');

it('shows the answer in the tab that asked, in a second tab, and after a reload in the middle', async () => {
  const context = await stand.browser.newContext();
  const asking = await context.newPage();
  await asking.goto(stand.program.url);
  const second = await context.newPage();
  await second.goto(asking.url());
  const answerIn = (page: typeof asking) => page.locator('dd').textContent({ timeout: 20_000 });

  await asking.fill('input', 'why?');
  await asking.press('input', 'Enter');
  await asking.locator('dd', { hasText: 'You asked' }).waitFor();
  await asking.reload();
  for (const page of [asking, second]) await expect.poll(() => answerIn(page)).toMatch(WHOLE);
});

it('ends the answer for everybody when somebody stops it', async () => {
  const bob = await visitor(stand.program, 'bob');
  const topic = `ai:${randomUUID()}`;
  await subscribe(bob, topic);
  const ask = { action: 'message', topic, type: 'ask', payload: { question: 'why?' } };
  const { payload } = await bob.request(ask, PATIENCE_MS);
  await bob.request({ action: 'message', topic, type: 'stop', payload: { id: payload.id } }, PATIENCE_MS);
  const end = await bob.next(({ type, payload: piece }) => type === 'answer' && piece.end === true, PATIENCE_MS);
  expect(end.payload).toMatchObject({ id: payload.id, stopped: true });
});
