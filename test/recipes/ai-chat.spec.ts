import { randomUUID } from 'node:crypto';
import { TestClient } from 'nestjs-realtime/testing';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

const WHOLE = /^You asked “why\?”\. A real model would answer here, .* as it takes\.$/;

let recipe: Recipe;
let server: Program;
let browser: Browser;

beforeAll(async () => {
  recipe = await Recipe.write('ai-chat');
  server = await recipe.start('src/main.js', { finished: () => undefined });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.kill();
  await recipe?.remove();
});

it('shows the answer in the tab that asked, in a second tab, and after a reload in the middle', async () => {
  const context = await browser.newContext();
  const asking = await context.newPage();
  await asking.goto(server.url);
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
  const response = await fetch(`${server.url}/login/bob`, { method: 'POST' });
  const { token } = (await response.json()) as { token: string };
  const bob = await TestClient.connect(`${server.url.replace('http', 'ws')}/ws`, { token });
  onTestFinished(() => bob.close());
  const topic = `ai:${randomUUID()}`;
  await bob.request({ action: 'subscribe', topic });
  const { payload } = await bob.request({ action: 'message', topic, type: 'ask', payload: { question: 'why?' } });
  await bob.request({ action: 'message', topic, type: 'stop', payload: { id: payload.id } });
  const end = await bob.next(({ type, payload: piece }) => type === 'answer' && piece.end === true);
  expect(end.payload).toMatchObject({ id: payload.id, stopped: true });
});
