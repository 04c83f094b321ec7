import type { RealtimeLimits } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECRET } from '../../helpers/signed-token.js';
import { FaultNode } from './fault-node.js';
import type { Leftovers } from './node/node-control.js';
import { storm, visit, visitors, type Storm } from './storm.js';

/** 5,000 of them: npm run soak -- --figures */
const CROWD = visitors(1_000);
const ACCEPTS_PER_SECOND = 500;

/** Default limits; only the addresses come from a proxy, since all of this comes from one machine. */
function startNode(limits: RealtimeLimits = {}): Promise<FaultNode> {
  return FaultNode.start({ options: { jwt: { secret: SECRET, algorithms: ['HS256'] }, trustProxy: 1, limits } });
}

let node: FaultNode;
let before: Leftovers;
let after: Leftovers;
let highestRssBytes = 0;
const storms: Storm[] = [];
/** How often an earlier client was answered. */
let answers = 0;

beforeAll(async () => {
  node = await startNode();
  const regular = await visit(node, visitors(CROWD.length + 1).at(-1)!);
  before = await node.ask('leftovers');
  const over = new AbortController();
  const watching = watch(regular, over.signal);
  // Those of the first wave are cut off, and all come back at once.
  for (let wave = 0; wave < 2; wave++) {
    storms.push(await storm(node, CROWD));
    for (const client of storms[wave]!.connected) client.socket.terminate();
    await until(async () => (await node.ask('counts')).connections === 1);
  }
  over.abort();
  await watching;
  after = await node.ask('leftovers');
}, 180_000);

afterAll(() => node.kill());

/** Asks for an answer again and again. */
async function watch(regular: TestClient, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await regular.request({ action: 'ping' }, 60_000);
    answers += 1;
    highestRssBytes = Math.max(highestRssBytes, (await node.ask('memory')).rss);
    await delay(60);
  }
}

async function until(test: () => Promise<boolean>): Promise<void> {
  while (!(await test())) await delay(20);
}

describe.each([
  ['at once', 0],
  ['again, after all were cut off', 1],
])(`When ${CROWD.length} clients connect %s`, (_when, wave) => {
  it('no more are let in than the limit allows', () => {
    const { connected, ms } = storms[wave]!;
    expect(connected.length).toBeLessThanOrEqual(ACCEPTS_PER_SECOND + (ACCEPTS_PER_SECOND * ms) / 1_000);
  });

  it('all others are told to come back later', () => {
    const { connected, refusals } = storms[wave]!;
    expect(refusals).toHaveLength(CROWD.length - connected.length);
    const told = refusals.map(({ status, headers }) => [status, Number(headers['retry-after']) >= 1]);
    expect(told).toEqual(told.map(() => [503, true]));
  });

  it('nobody is left without an answer', () => {
    expect(storms[wave]!.failures).toEqual([]);
  });
});

describe('In a storm', () => {
  it('as many are let in at once as the limit allows', () => {
    expect(storms[0]!.connected.length).toBeGreaterThanOrEqual(ACCEPTS_PER_SECOND);
  });

  it('a client that is connected is answered', () => {
    // An answer that takes a minute fails the hook above.
    expect(answers).toBeGreaterThan(0);
  });

  it('memory stays bounded', () => {
    expect(highestRssBytes).toBeLessThan(400 * 2 ** 20);
  });

  it('nothing is left behind', () => {
    expect({ ...after, heapBytes: 0, externalBytes: 0 }).toEqual({ ...before, heapBytes: 0, externalBytes: 0 });
    expect(after.heapBytes - before.heapBytes).toBeLessThan(8 * 2 ** 20);
  });

  it('everybody would be let in at once without the limit', async () => {
    const open = await startNode({ acceptsPerSecond: Infinity, maxUnauthenticated: Infinity });
    try {
      expect((await storm(open, CROWD)).connected).toHaveLength(CROWD.length);
    } finally {
      await open.kill();
    }
  });
});
