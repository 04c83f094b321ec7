import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisServer } from '../helpers/redis-server.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';
import { login, PATIENCE_MS, subscribe, visitor } from './visitor.js';

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

/** Orders a report and returns the topic of its job. */
async function report(name: string): Promise<string> {
  const headers = { authorization: `Bearer ${await login(api, name)}` };
  const response = await fetch(`${api.url}/reports`, { method: 'POST', headers });
  return ((await response.json()) as { topic: string }).topic;
}

const DONE = { payload: { file: '/reports/2026.pdf' } };

it('shows the progress of a job that a worker in another process runs, and then its result', async () => {
  const alice = await visitor(api, 'alice');
  await subscribe(alice, await report('alice'));
  expect(await alice.next('job.done', PATIENCE_MS)).toMatchObject(DONE);
  const percents = alice.pending.filter(({ type }) => type === 'job.progress').map(({ payload }) => payload.percent);
  // It may have begun before she listened: she gets where it was, and all that follows.
  expect(percents).toEqual([0, 20, 40, 60, 80].slice(5 - percents.length));
});

it('shows a page that is opened when the job is done its result at once', async () => {
  const topic = await report('alice');
  const early = await visitor(api, 'alice');
  await subscribe(early, topic);
  await early.next('job.done', PATIENCE_MS);

  const late = await visitor(api, 'alice');
  await subscribe(late, topic);
  expect(await late.next('job.done', PATIENCE_MS)).toMatchObject(DONE);
});

it("refuses the jobs of others, and those that don't exist", async () => {
  const topic = await report('alice');
  const mallory = await visitor(api, 'mallory');
  for (const foreign of [topic, 'job:999999']) {
    const { payload } = await subscribe(mallory, foreign);
    expect(payload).toMatchObject({ code: 'FORBIDDEN' });
  }
});

it('ends a worker that is told to, with nothing left open', async () => {
  const other = await recipe.start('src/worker.js', { env: { REDIS_URL: redis.url }, ready: WAITS });
  other.terminate();
  const { code, output } = await other.ended;
  expect(code, output).toBe(0);
});
