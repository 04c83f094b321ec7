import { TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../helpers/redis-server.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

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

async function connect(name: string): Promise<TestClient> {
  const response = await fetch(`${server.url}/login/${name}`, { method: 'POST' });
  const { token } = (await response.json()) as { token: string };
  const client = await TestClient.connect(`${server.url.replace('http', 'ws')}/ws`, { token });
  onTestFinished(() => client.close());
  await client.next('realtime:welcome');
  return client;
}

/** Runs the worker to its end. */
async function nightly() {
  const worker = await recipe.start('src/nightly.js', { env: { REDIS_URL: redis.url }, ready: /alice has it on/ });
  return worker.ended;
}

it('reaches a user and the subscribers of a topic from a process without a server, which then ends', async () => {
  const alice = await connect('alice');
  await alice.request({ action: 'subscribe', topic: 'news' });
  const { code, output } = await nightly();
  expect(code, output).toBe(0);
  expect(output).toContain('alice has it on 1 connections');
  const title = /^Figures of \d{4}-\d\d-\d\d$/;
  expect((await alice.next('news')).payload.title).toMatch(title);
  expect((await alice.next('invoice.ready')).payload.day).toMatch(/^\d{4}-/);

  // The worker knows that the topic keeps a history: somebody who comes later gets the news.
  const bob = await connect('bob');
  await bob.request({ action: 'subscribe', topic: 'news' });
  expect((await bob.next('news')).payload.title).toMatch(title);
});
