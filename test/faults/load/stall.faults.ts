import { testToken, type Closed, type TestClient } from 'nestjs-realtime/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectCrowd, NO_RATES } from './crowd.js';
import { FaultNode } from './fault-node.js';
import type { NodeSpec } from './node/node-control.js';

const STALL_MS = 5_000;
const CLIENTS = 50;
const COMMANDS = 20;
const TOPIC = 'room:1';

/** Pings and answers are due many times while the event loop stands still. */
const HASTY: NodeSpec = {
  options: {
    token: { firstCommand: true },
    heartbeat: { intervalMs: 1_000, timeoutMs: 1_000 },
    limits: { ...NO_RATES, authTimeoutMs: 1_000 },
  },
};

interface Stalled {
  /** How each client that was closed was closed. */
  readonly closes: readonly Closed[];
  /** How each of those was closed that sent their token while the event loop stood still. */
  readonly latecomers: readonly Closed[];
  /** The numbers that each client got of those published before and after. */
  readonly counted: readonly number[][];
  /** The answers to the commands that each client sent meanwhile. */
  readonly answered: readonly unknown[][];
}

const ALL = Array.from({ length: COMMANDS }, (_, n) => n);

/** Lets the event loop of a node stand still while its clients go on. */
async function stallNode(spec: NodeSpec): Promise<Stalled> {
  const node = await FaultNode.start(spec);
  try {
    const clients = await connectCrowd(node, CLIENTS);
    const closes = collectCloses(clients);
    for (const client of clients) await client.request({ action: 'subscribe', topic: TOPIC });
    const latecomers = await Promise.all(ALL.map(() => node.connect()));
    const lateCloses = collectCloses(latecomers);
    await node.ask('count', TOPIC, 100, 10);

    const stalled = node.ask('stall', STALL_MS);
    for (const client of clients) for (const n of ALL) client.send(work(n));
    latecomers.forEach((client, n) => client.send({ action: 'auth', token: testToken(`late-${n}`) }));
    await stalled;
    await node.ask('count', TOPIC, 100, 10);
    // By then a whole interval and a whole timeout have passed again.
    await Promise.all([...clients, ...latecomers].map((client) => pings(client, 3).catch(() => undefined)));
    await Promise.all(clients.map((client) => client.settled().catch(() => undefined)));
    return {
      closes,
      latecomers: lateCloses,
      counted: clients.map(({ pending }) =>
        pending.filter(({ type }) => type === 'count').map(({ payload }) => payload.n),
      ),
      answered: clients.map(({ pending }) =>
        pending.filter(({ type }) => type === 'realtime:reply').map(({ payload }) => payload),
      ),
    };
  } finally {
    await node.kill();
  }
}

const work = (n: number) => ({
  action: 'message',
  id: `work-${n}`,
  topic: TOPIC,
  type: 'work',
  payload: { name: n, ms: 1 },
});

function collectCloses(clients: readonly TestClient[]): readonly Closed[] {
  const closes: Closed[] = [];
  // Those that stay run into the deadline of the wait, or end with the node.
  for (const client of clients)
    client.nextClose(60_000).then(
      (close) => closes.push(close),
      () => undefined,
    );
  return closes;
}

async function pings(client: TestClient, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await client.next('realtime:ping');
}

describe(`When the event loop stands still for ${STALL_MS} ms`, () => {
  let stalled: Stalled;
  beforeAll(async () => {
    stalled = await stallNode(HASTY);
  }, 60_000);

  it('nobody is disconnected', () => {
    expect(stalled.closes).toEqual([]);
  });

  it('nobody is disconnected whose token had arrived meanwhile', () => {
    expect(stalled.latecomers).toEqual([]);
  });

  it('everything published before and after arrives, in order', () => {
    const twice = [...Array.from({ length: 100 }, (_, n) => n), ...Array.from({ length: 100 }, (_, n) => n)];
    for (const numbers of stalled.counted) expect(numbers).toEqual(twice);
  });

  it('what was sent meanwhile is answered, in order', () => {
    for (const answers of stalled.answered) expect(answers).toEqual(ALL);
  });
});

describe('If answers to pings were awaited by the clock', () => {
  it('everybody would be disconnected', async () => {
    const { closes } = await stallNode({ ...HASTY, flaws: ['pulse by the clock'] });
    expect(closes.filter(({ code }) => code === 3012)).toHaveLength(CLIENTS);
  });
});
