import { testToken, type Closed, type TestClient } from 'nestjs-realtime/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectCrowd, NO_RATES } from './crowd.js';
import { FaultNode } from './fault-node.js';
import type { NodeSpec } from './node/node-control.js';
import { startNode } from './start-node.js';

const STALL_MS = 5_000;
const CLIENTS = 50;
const COMMANDS = 20;
const TOPIC = 'room:1';

/** A ping, its answer and a token are due while the event loop stands still, but not before: the machine may be slow. */
const HASTY: NodeSpec = {
  options: {
    token: { firstCommand: true },
    heartbeat: { intervalMs: 1_000, timeoutMs: 3_000 },
    limits: { ...NO_RATES, authTimeoutMs: 4_000 },
  },
};

interface Stalled {
  /** How each client was closed that was. */
  readonly closes: readonly Closed[];
  /** How each of those was closed that sent their token while the event loop stood still. */
  readonly lateCloses: readonly Closed[];
  /** The numbers that each client got, of those published before and after. */
  readonly counted: readonly unknown[][];
  /** The answers that each client got to what it had sent meanwhile. */
  readonly answered: readonly unknown[][];
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

const work = (name: number, ms: number) => ({
  action: 'message',
  id: `work-${name}`,
  topic: TOPIC,
  type: 'work',
  payload: { name, ms },
});

/** Lets the event loop of a node stand still while its clients go on. */
async function stallNode(spec: NodeSpec): Promise<Stalled> {
  const node = await FaultNode.start(spec);
  try {
    const clients = await connectCrowd(node, CLIENTS);
    for (const client of clients) await client.request({ action: 'subscribe', topic: TOPIC });
    const latecomers = await Promise.all(upTo(COMMANDS).map(() => node.connect()));
    await node.ask('count', TOPIC, 100, 10);

    const stalled = node.ask('stall', STALL_MS);
    for (const client of clients) for (const n of upTo(COMMANDS)) client.send(work(n, 1));
    latecomers.forEach((client, n) => client.send({ action: 'auth', token: testToken(`late-${n}`) }));
    await stalled;
    await node.ask('count', TOPIC, 100, 10);
    const [closes, lateCloses] = await Promise.all([closesOf(clients), closesOf(latecomers)]);
    return {
      closes,
      lateCloses,
      counted: clients.map((client) => payloads(client, 'count').map(({ n }) => n)),
      answered: clients.map((client) => payloads(client, 'realtime:reply')),
    };
  } finally {
    await node.kill();
  }
}

/** The close codes, after enough pings for a heartbeat timeout of every client. */
async function closesOf(clients: readonly TestClient[]): Promise<Closed[]> {
  const survive = async (client: TestClient) => {
    for (let pings = 0; pings < 6; pings++) await client.next('realtime:ping', 20_000);
  };
  const fates = clients.map((client) => Promise.race([survive(client), client.nextClose(20_000)]));
  return (await Promise.all(fates)).filter((fate) => fate !== undefined);
}

function payloads({ pending }: TestClient, wanted: string): any[] {
  return pending.filter(({ type }) => type === wanted).map(({ payload }) => payload);
}

let stalled: Stalled;
let impatient: Stalled;
beforeAll(async () => {
  // Both at once: most of the time is spent waiting.
  [stalled, impatient] = await Promise.all([
    stallNode(HASTY),
    stallNode({ ...HASTY, flaws: ['patience by the clock'] }),
  ]);
}, 180_000);

describe(`When the event loop stands still for ${STALL_MS} ms`, () => {
  it('nobody is disconnected', () => {
    expect(stalled.closes).toEqual([]);
  });

  it('nobody is disconnected whose token has arrived meanwhile', () => {
    expect(stalled.lateCloses).toEqual([]);
  });

  it('everything published before and after arrives, in order', () => {
    for (const numbers of stalled.counted) expect(numbers).toEqual([...upTo(100), ...upTo(100)]);
  });

  it('what was sent meanwhile is answered, in order', () => {
    for (const answers of stalled.answered) expect(answers).toEqual(upTo(COMMANDS));
  });
});

describe('If the clock said how long clients have been silent', () => {
  // Not all: some pongs may be read before the timeout is checked.
  it('clients would be disconnected for not answering', () => {
    expect(new Set(impatient.closes.map(({ code }) => code))).toEqual(new Set([3012]));
  });

  it('clients would be disconnected whose token has arrived meanwhile', () => {
    expect(new Set(impatient.lateCloses.map(({ code }) => code))).toEqual(new Set([3502]));
  });
});

describe('A client that is not read because its commands take long', () => {
  it('is not taken for one that does not answer', async () => {
    const node = await startNode({
      options: { heartbeat: { intervalMs: 200, timeoutMs: 200 }, limits: { mailboxSize: 2 } },
    });
    const client = await node.connect('ann');
    await client.request({ action: 'subscribe', topic: TOPIC });
    for (const n of upTo(4)) client.send(work(n, 500));
    await client.next((frame) => frame.id === 'work-3', 20_000);
    await expect(client.settled()).resolves.toBeUndefined();
  });
});
