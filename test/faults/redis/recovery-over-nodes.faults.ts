import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../helpers/redis-server.js';
import { NodeProcesses } from '../../resuming/node-processes.js';
import { Trial, type TrialParts } from '../../resuming/trial.js';

/** For how long a node halts, in milliseconds. */
const HALT_MS = 10_000;

/** Three nodes in processes of their own; they serve all tests, each with a topic of its own. */
let processes: NodeProcesses;
let end = async () => {};

beforeAll(async () => {
  const redis = await startRedis({ finished: (given) => void (end = given) });
  processes = await NodeProcesses.start({
    redis: { url: redis.url, leaseRefreshMs: 200, leaseTtlMs: 2_000 },
    options: {
      drain: { timeoutMs: 2_000 },
      limits: { maxHistoryPage: 1_000, acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity },
    },
  });
}, 120_000);

afterAll(async () => {
  await processes?.kill();
  await end();
});

async function play(parts: TrialParts): Promise<Trial> {
  const trial = await Trial.begin(() => processes.nodes, { resumers: 9, ...parts });
  onTestFinished(() => trial.stop());
  return trial;
}

const HELD = { violations: {}, refused: 0, notRecovered: 0 };

describe('When a node halts, and goes on after 10 seconds,', () => {
  it('neither those who have waited nor those who went elsewhere miss anything', async () => {
    let talking = [0, 1, 2];
    const publishOn = () => talking.map((index) => processes.nodes[index]!);
    const trial = await play({ topic: 'log:halt', publishOn, everyMs: 60 });
    await trial.goesOn(20);
    talking = [1, 2];
    processes.nodes[0]!.signal('SIGSTOP');
    await delay(HALT_MS / 2);
    for (const resumer of trial.resumers.slice(0, 4)) resumer.cut();
    await delay(HALT_MS / 2);
    processes.nodes[0]!.signal('SIGCONT');
    talking = [0, 1, 2];
    await trial.goesOn(50);
    expect(await trial.verdict()).toMatchObject(HELD);
  });
});

describe('When nodes are told to end while others publish', () => {
  it('one after the other, nothing that was acknowledged is missed, and each ends in time', async () => {
    const trial = await play({ topic: 'log:drain' });
    const ends = [];
    for (const index of processes.nodes.keys()) {
      await trial.goesOn(30);
      ends.push(await processes.replace(index, 'SIGTERM'));
    }
    await trial.goesOn(30);
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject(HELD);
    expect(verdict.recovered).toBeGreaterThanOrEqual(trial.resumers.length);
    expect(ends.map(({ signal, ms }) => [signal, ms < 5_000])).toEqual(ends.map(() => ['SIGTERM', true]));
  }, 120_000);
});

describe('When a node is killed, and then another', () => {
  it('their clients miss nothing: they go on at the one that is left', async () => {
    const trial = await play({ topic: 'log:kill' });
    for (const index of [0, 1]) {
      await trial.goesOn(30);
      await processes.nodes[index]!.kill();
    }
    await trial.goesOn(30);
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject(HELD);
    expect(verdict.recovered).toBeGreaterThan(0);
  });
});
