import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis } from '../helpers/redis-server.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';
import { PATIENCE_MS, visitor } from './visitor.js';

let recipe: Recipe;

beforeAll(async () => {
  recipe = await Recipe.write('redis-in-production');
});

afterAll(() => recipe?.remove());

const orderAt = ({ url }: Program) => fetch(`${url}/orders/alice`, { method: 'POST' });

it('runs as one process without Redis', async () => {
  const server = await recipe.start('src/main.js', { env: { REDIS_URL: '', NODE_ENV: 'development' } });
  const alice = await visitor(server, 'alice');
  await orderAt(server);
  expect((await alice.next('order.created', PATIENCE_MS)).payload).toEqual({ id: 'o-1' });
});

it('reaches a user on another node over Redis', async () => {
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url, NODE_ENV: 'production' };
  const nodes = await Promise.all([recipe.start('src/main.js', { env }), recipe.start('src/main.js', { env })]);
  const alice = await visitor(nodes[0], 'alice');
  await orderAt(nodes[1]);
  expect((await alice.next('order.created', PATIENCE_MS)).payload).toEqual({ id: 'o-1' });
  expect((await fetch(`${nodes[1].url}/ready`)).status).toBe(200);
});

it('does not start in production without REDIS_URL, and says so', async () => {
  const env = { REDIS_URL: '', NODE_ENV: 'production' };
  const { ended } = await recipe.start('src/main.js', { env, ready: /Set REDIS_URL/ });
  expect((await ended).code).toBe(1);
});
