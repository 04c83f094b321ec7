import { UpgradeRefusedError } from 'nestjs-realtime/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { FaultNode, type ProcessEnd } from './fault-node.js';
import type { Flaw } from './node/flaws.js';
import { Talker } from './talker.js';

const TALKERS = 40;
/** What clients have begun takes a fraction of it; the client that does not answer takes all of it. */
const DEADLINE_MS = 4_000;
const TOPIC = 'room:1';

/** The result for a node that was shut down while all clients were sending. */
interface Shutdown {
  readonly talkers: readonly Talker[];
  /** One that always has more commands under way than the server lets wait. */
  readonly toiler: Talker;
  /** The answer to a client that connected after the first one had been disconnected. */
  readonly refusal: unknown;
  readonly process: ProcessEnd;
  readonly ms: number;
}

const UNLIMITED = { commandsPerSecond: Infinity, commandBurst: Infinity, maxUnauthenticatedPerIp: Infinity };

async function shutDown(flaws: readonly Flaw[] = []): Promise<Shutdown> {
  const node = await FaultNode.start({ flaws, options: { limits: UNLIMITED, drain: { timeoutMs: DEADLINE_MS } } });
  try {
    const enter = (n: number) => Talker.enter(node, `talker-${n}`, TOPIC);
    const talkers = await Promise.all(Array.from({ length: TALKERS }, (_, n) => enter(n)));
    const toiler = await Talker.enter(node, 'toiler', TOPIC);
    // One that hears nothing any more, and so does not answer when it is closed.
    const deaf = await Talker.enter(node, 'deaf', 'room:2');
    deaf.client.socket.pause();

    const work = talkers.flatMap((talker) => [talker.talk(TOPIC), talker.toil(TOPIC, 2, 20)]);
    work.push(toiler.toil(TOPIC, 200, 1));
    await Promise.all(talkers.map((talker) => talker.hasSaid(5)));
    const start = performance.now();
    node.signal('SIGTERM');
    await Promise.race(talkers.map(({ end }) => end));
    const refusal = await node.connect('late').catch((error: unknown) => error);
    const process = await node.ended;
    const ms = performance.now() - start;
    await Promise.all(work);
    deaf.client.socket.terminate();
    return { talkers, toiler, refusal, process, ms };
  } finally {
    await node.kill();
  }
}

/** Messages that were acknowledged, but did not reach every subscriber exactly once. */
function lost({ talkers }: Shutdown): string[] {
  const heard = new Map(talkers.map(({ id, heard: places }) => [id, places]));
  return talkers.flatMap(({ said }) =>
    said.flatMap(({ place, to }) => {
      const times = (id: string) => heard.get(id)?.filter((other) => other === place).length ?? 1;
      return to.filter((id) => times(id) !== 1).map((id) => `${place} at ${id}: ${times(id)} times`);
    }),
  );
}

function unanswered({ begun, worked }: Talker): string[] {
  return begun.filter((name) => !worked.includes(name));
}

let shutdown: Shutdown;
let abrupt: Shutdown;
beforeAll(async () => {
  [shutdown, abrupt] = await Promise.all([shutDown(), shutDown(['abrupt drain'])]);
}, 180_000);

describe('A node that gets SIGTERM while its clients are talking', () => {
  it('has delivered every message that it had acknowledged', () => {
    expect(lost(shutdown)).toEqual([]);
  });

  it('answers what it has begun', () => {
    expect(shutdown.talkers.flatMap(unanswered)).toEqual([]);
  });

  it('answers what it has begun for a client that sends faster than it is served', () => {
    expect(unanswered(shutdown.toiler)).toEqual([]);
  });

  it('sends everybody elsewhere with 3001', () => {
    const codes = [...shutdown.talkers, shutdown.toiler].map(({ closed }) => closed?.code);
    expect(new Set(codes)).toEqual(new Set([3001]));
  });

  it('answers new clients with 503 and Retry-After', () => {
    expect(shutdown.refusal).toBeInstanceOf(UpgradeRefusedError);
    expect(shutdown.refusal).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it('ends when its time is over, though a client does not answer', () => {
    expect(shutdown.ms).toBeLessThan(DEADLINE_MS + 5_000);
  });

  it('ends as it was told, and not by an error', () => {
    expect(shutdown.process).toEqual({ code: null, signal: 'SIGTERM' });
  });
});

describe('Without the drain', () => {
  it('acknowledged messages do not reach everybody, sooner or later', async () => {
    // All may have been written just before the signal: then it is sent to another node.
    let losses = lost(abrupt);
    for (let time = 1; time < 5 && losses.length === 0; time++) losses = lost(await shutDown(['abrupt drain']));
    expect(losses).not.toEqual([]);
  }, 60_000);

  it('what was begun stays without an answer', () => {
    expect(abrupt.talkers.flatMap(unanswered)).not.toEqual([]);
  });

  it('nobody is told where to go', () => {
    expect(abrupt.talkers.map(({ closed }) => closed?.code)).not.toContain(3001);
  });
});
