import { TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../helpers/redis-server.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

const WAITS = /The worker waits for jobs/;

let redis: RedisServer;
let recipe: Recipe;
let api: Program;
let worker: Program;

beforeAll(async () => {
  redis = await RedisServer.start();
  recipe = await Recipe.write('job-progress');
  const env = { REDIS_URL: redis.url };
  [api, worker] = await Promise.all([
    recipe.start('src/main.js', { env, finished: () => undefined }),
    recipe.start('src/worker.js', { env, finished: () => undefined, ready: WAITS }),
  ]);
});

afterAll(async () => {
  await Promise.all([api?.kill(), worker?.kill()]);
  await recipe?.remove();
  await redis?.end();
});

async function login(name: string): Promise<string> {
  const response = await fetch(`${api.url}/login/${name}`, { method: 'POST' });
  return ((await response.json()) as { token: string }).token;
}

async function report(token: string): Promise<string> {
  const response = await fetch(`${api.url}/reports`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { topic: string }).topic;
}

async function connect(token: string): Promise<TestClient> {
  const client = await TestClient.connect(`${api.url.replace('http', 'ws')}/ws`, { token });
  onTestFinished(() => client.close());
  return client;
}

const DONE = { payload: { file: '/reports/2026.pdf' } };

it('shows the progress of a job that a worker in another process runs, and then its result', async () => {
  const token = await login('alice');
  const alice = await connect(token);
  const topic = await report(token);
  await alice.request({ action: 'subscribe', topic });
  expect(await alice.next('job.done', 15_000)).toMatchObject(DONE);
  const percents = alice.pending.filter(({ type }) => type === 'job.progress').map(({ payload }) => payload.percent);
  // It may have begun before she listened: she gets where it was, and all that follows.
  expect(percents).toEqual([0, 20, 40, 60, 80].slice(5 - percents.length));
});

it('shows a page that is opened when the job is done its result at once', async () => {
  const token = await login('alice');
  const early = await connect(token);
  const topic = await report(token);
  await early.request({ action: 'subscribe', topic });
  await early.next('job.done', 15_000);

  const late = await connect(token);
  await late.request({ action: 'subscribe', topic });
  expect(await late.next('job.done')).toMatchObject(DONE);
});

it("refuses the jobs of others, and those that don't exist", async () => {
  const topic = await report(await login('alice'));
  const mallory = await connect(await login('mallory'));
  for (const foreign of [topic, 'job:999999']) {
    const { payload } = await mallory.request({ action: 'subscribe', topic: foreign });
    expect(payload).toMatchObject({ code: 'FORBIDDEN' });
  }
});

it('ends a worker that is told to, with nothing left open', async () => {
  const other = await recipe.start('src/worker.js', { env: { REDIS_URL: redis.url }, ready: WAITS });
  other.terminate();
  const { code, output } = await other.ended;
  expect(code, output).toBe(0);
});
