import { beforeAll, describe, expect, it } from 'vitest';
import type { RealtimeCounts } from 'nestjs-realtime';
import { Churner } from './churner.js';
import { NO_RATES } from './crowd.js';
import { FaultNode } from './fault-node.js';
import type { Leftovers, NodeSpec } from './node/node-control.js';
import { SeededRandom } from './seeded-random.js';

const CHURNERS = 16;
const WARM_UP_MS = 1_000;
/** How often each of them comes at least, however slow the machine is: leaks show with the number of visits. */
const MIN_VISITS = 40;
const NOBODY: RealtimeCounts = { connections: 0, users: 0, topics: 0, subscriptions: 0 };

/** More than can be on their way at once, and far fewer than come in all. */
const AT_THE_DOOR = 4 * CHURNERS;

const SPEC: NodeSpec = {
  options: {
    token: { firstCommand: true },
    limits: {
      ...NO_RATES,
      maxUnauthenticated: AT_THE_DOOR,
      maxUnauthenticatedPerIp: AT_THE_DOOR,
      maxConnectionsPerUser: Infinity,
    },
  },
  standIns: ['a remote bus', 'a remote verifier'],
};

/** The state of a node after clients have come and gone for a while. */
interface Aftermath {
  /** The distinct answers to refused clients. */
  readonly refusals: ReadonlySet<string>;
  readonly counts: RealtimeCounts;
  /** The baseline: the state after an earlier time without clients. */
  readonly before: Leftovers;
  readonly after: Leftovers;
  readonly errors: ReadonlySet<string>;
}

async function churn(spec: NodeSpec, forMs: number, isOver = isForgotten): Promise<Aftermath> {
  const node = await FaultNode.start(spec);
  try {
    const churners = Array.from({ length: CHURNERS }, (_, n) => new Churner(node, `user-${n}`, new SeededRandom(n)));
    await Promise.all(churners.map((churner) => churner.churn(WARM_UP_MS, MIN_VISITS / 4)));
    const before = await settled(node, isOver);
    await Promise.all(churners.map((churner) => churner.churn(forMs, MIN_VISITS)));
    return {
      refusals: new Set(churners.flatMap(({ refusals }) => refusals.map(String))),
      before,
      after: await settled(node, isOver),
      counts: await node.ask('counts'),
      errors: new Set(await node.ask('errors')),
    };
  } finally {
    await node.kill();
  }
}

const isDisconnected = ({ openSockets }: Leftovers) => openSockets === 0;
const isForgotten = ({ openSockets, objects }: Leftovers) => openSockets + objects === 0;

/** The state of a node after it has noticed that its last client is gone. */
async function settled(node: FaultNode, isOver: (leftovers: Leftovers) => boolean): Promise<Leftovers> {
  // One look searches the whole heap, which takes two or three seconds on a busy machine.
  const deadline = performance.now() + 10_000;
  for (;;) {
    const leftovers = await node.ask('leftovers');
    if (isOver(leftovers) || performance.now() > deadline) return leftovers;
  }
}

describe('After clients have come and gone in every way for a while', () => {
  let aftermath: Aftermath;
  beforeAll(async () => {
    aftermath = await churn(SPEC, 5_000);
  }, 120_000);

  it('nobody is there', () => {
    expect(aftermath.counts).toEqual(NOBODY);
  });

  it('no session, no socket and no timer is left', () => {
    expect(aftermath.after).toMatchObject({ objects: 0, openSockets: 0, timers: aftermath.before.timers });
  });

  it('memory is what it was', () => {
    expect(aftermath.after.heapBytes - aftermath.before.heapBytes).toBeLessThan(2 * 2 ** 20);
  });

  it('nobody was refused because of those who had gone', () => {
    expect(aftermath.refusals).toEqual(new Set());
  });

  it('nothing went wrong in the node', () => {
    expect(aftermath.errors).toEqual(new Set());
  });
});

describe('If those who have gone were remembered', () => {
  let aftermath: Aftermath;
  beforeAll(async () => {
    aftermath = await churn(
      { ...SPEC, standIns: ['a registry that hoards', 'subscriptions that are hoarded'], flaws: ['sessions are kept'] },
      1_000,
      isDisconnected,
    );
  }, 120_000);

  it('they would be counted', () => {
    const { connections, subscriptions } = aftermath.counts;
    expect([connections, subscriptions].every((count) => count > 0)).toBe(true);
  });

  it('their sessions would be found', () => {
    expect(aftermath.after.objects).toBeGreaterThan(0);
  });

  it('they would take up memory', () => {
    expect(aftermath.after.heapBytes).toBeGreaterThan(aftermath.before.heapBytes);
  });
});
