import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisServer } from '../helpers/redis-server.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';
import { PATIENCE_MS, subscribe, visitor } from './visitor.js';

let redis: RedisServer;
let recipe: Recipe;
let server: Program;

beforeAll(async () => {
  redis = await RedisServer.start();
  recipe = await Recipe.write('worker');
  server = await recipe.start('src/main.js', { env: { REDIS_URL: redis.url }, finished: () => undefined });
});

afterAll(async () => {
  await server?.kill();
  await recipe?.remove();
  await redis?.end();
});

/** Runs the worker to its end. */
async function nightly() {
  const worker = await recipe.start('src/nightly.js', { env: { REDIS_URL: redis.url }, ready: /alice has it on/ });
  return worker.ended;
}

it('reaches a user and the subscribers of a topic from a process without a server, which then ends', async () => {
  const alice = await visitor(server, 'alice');
  await subscribe(alice, 'news');
  const { code, output } = await nightly();
  expect(code, output).toBe(0);
  expect(output).toContain('alice has it on 1 connections');
  const title = /^Figures of \d{4}-\d\d-\d\d$/;
  expect((await alice.next('news', PATIENCE_MS)).payload.title).toMatch(title);
  expect((await alice.next('invoice.ready', PATIENCE_MS)).payload.day).toMatch(/^\d{4}-/);

  // The worker knows that the topic keeps a history: somebody who comes later gets the news.
  const bob = await visitor(server, 'bob');
  await subscribe(bob, 'news');
  expect((await bob.next('news', PATIENCE_MS)).payload.title).toMatch(title);
});
