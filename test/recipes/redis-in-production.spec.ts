import { TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../helpers/redis-server.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

let recipe: Recipe;

beforeAll(async () => {
  recipe = await Recipe.write('redis-in-production');
});

afterAll(() => recipe?.remove());

async function aliceOn({ url }: Program): Promise<TestClient> {
  const response = await fetch(`${url}/login/alice`, { method: 'POST' });
  const { token } = (await response.json()) as { token: string };
  const client = await TestClient.connect(`${url.replace('http', 'ws')}/ws`, { token });
  onTestFinished(() => client.close());
  await client.next('realtime:welcome');
  return client;
}

const orderAt = ({ url }: Program) => fetch(`${url}/orders/alice`, { method: 'POST' });

it('runs as one process without Redis', async () => {
  const server = await recipe.start('src/main.js', { env: { REDIS_URL: '', NODE_ENV: 'development' } });
  const alice = await aliceOn(server);
  await orderAt(server);
  expect((await alice.next('order.created')).payload).toEqual({ id: 'o-1' });
});

it('reaches a user on another node over Redis', async () => {
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url, NODE_ENV: 'production' };
  const nodes = await Promise.all([recipe.start('src/main.js', { env }), recipe.start('src/main.js', { env })]);
  const alice = await aliceOn(nodes[0]);
  await orderAt(nodes[1]);
  expect((await alice.next('order.created')).payload).toEqual({ id: 'o-1' });
  expect((await fetch(`${nodes[1].url}/ready`)).status).toBe(200);
});

it('does not start in production without REDIS_URL, and says so', async () => {
  const env = { REDIS_URL: '', NODE_ENV: 'production' };
  const { ended } = await recipe.start('src/main.js', { env, ready: /Set REDIS_URL/ });
  expect((await ended).code).toBe(1);
});
