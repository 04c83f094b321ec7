import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { connectCrowd, NO_RATES } from '../faults/load/crowd.js';
import { FaultNode, type ProcessOptions } from '../faults/load/fault-node.js';
import type { NodeSpec } from '../faults/load/node/node-control.js';
import { storm, visitors } from '../faults/load/storm.js';
import { burstOf, crowdedRestart, quantile } from '../faults/redis/crowded-restart.js';
import { upgradeRequest } from '../helpers/raw-client.js';
import { SECRET } from '../helpers/signed-token.js';

const MIB = 2 ** 20;
const CROWD = 5_000;

/** Limits of a node that accepts a crowd from other nodes. */
const ACCEPTS_PER_SECOND = 250;

/** A figure, and the way to measure it. */
export const FIGURES: Record<string, () => Promise<object>> = {
  [`${CROWD} clients connect at once, and again; default limits, HS256 tokens, each from an address of its own`]: () =>
    withNode({ options: { jwt: { secret: SECRET, algorithms: ['HS256'] }, trustProxy: 1 } }, async (node) => {
      const crowd = visitors(CROWD);
      const waves = [];
      for (let wave = 0; wave < 2; wave++) {
        await node.ask('loopDelay');
        const { connected, refusals, failures, ms } = await storm(node, crowd);
        const { p99Ms, maxMs } = await node.ask('loopDelay');
        const { rss } = await node.ask('memory');
        waves.push({
          ms: round(ms),
          letIn: connected.length,
          letInPerSecond: round((connected.length * 1_000) / ms),
          refusedWith503: refusals.filter(({ status }) => status === 503).length,
          failures: failures.length,
          loopDelayP99Ms: round(p99Ms),
          loopDelayMaxMs: round(maxMs),
          rssMiB: round(rss / MIB),
        });
        for (const client of connected) client.socket.terminate();
        while ((await node.ask('counts')).connections > 0) await delay(20);
      }
      return { waves };
    }),

  [`${CROWD} clients connect at once, without limits`]: () =>
    withNode(
      { options: { trustProxy: 1, jwt: { secret: SECRET, algorithms: ['HS256'] }, limits: UNLIMITED } },
      async (node) => {
        const { connected, ms } = await storm(node, visitors(CROWD));
        return { ms: round(ms), letIn: connected.length, perSecond: round((connected.length * 1_000) / ms) };
      },
    ),

  [`app.close() with ${CROWD} clients, 100 of them dead; drain.timeoutMs 30,000`]: () =>
    withNode({ options: { limits: UNLIMITED } }, async (node) => {
      const clients = await connectCrowd(node, CROWD);
      for (const client of clients.slice(0, 100)) client.socket.pause();
      const { ms, departuresMs } = await node.ask('close');
      return {
        ms: round(ms),
        firstLeftMs: round(Math.min(...departuresMs)),
        lastLeftMs: round(Math.max(...departuresMs)),
      };
    }),

  [`three nodes with ${CROWD} clients are restarted, one after the other; acceptsPerSecond ${ACCEPTS_PER_SECOND}, drain.timeoutMs 2,000`]:
    () => restartAll(ACCEPTS_PER_SECOND),

  [`three nodes with ${CROWD} clients are restarted, without limits`]: () => restartAll(Infinity),

  '8,000 messages/s for 8 s to 10 readers; then to 10 of whom 5 have stopped': async () => ({
    allRead: await pourOver(0),
    fiveStopped: await pourOver(5),
  }),

  '20 sockets send 16,000 one-byte fragments each': () =>
    withNode({ options: { limits: NO_RATES } }, async (node) => {
      await node.ask('leftovers');
      const before = await node.ask('memory');
      const sockets = await Promise.all(Array.from({ length: 20 }, () => sendFragments(node, 16_000)));
      const during = await node.ask('memory');
      return {
        wireMiB: round((20 * 16_000 * FRAGMENT_BYTES) / MIB),
        heapMiB: round((during.heapUsed - before.heapUsed) / MIB),
        externalMiB: round((during.external - before.external) / MIB),
        endedByTheNode: sockets.filter(Boolean).length,
      };
    }),

  '50,000 messages of 20 bytes to one topic with 3 readers': () =>
    withNode({ options: { limits: { ...NO_RATES, sendQueueBytes: 16 * MIB } } }, async (node) => {
      const readers = await connectCrowd(node, 3);
      for (const reader of readers) await reader.request({ action: 'subscribe', topic: 'room:1' });
      return { publishedInMs: round(await node.ask('count', 'room:1', 50_000, 250)) };
    }),
};

/** How clients fare when all nodes are restarted. A limit keeps the highest burst, as {@link burstOf} says, below itself. */
async function restartAll(acceptsPerSecond: number): Promise<object> {
  const restart = await crowdedRestart({ commuters: CROWD, acceptsPerSecond });
  const { upgradesMs, absencesMs, rebuffs, letIn, verdict, connections, ms } = restart;
  return {
    ms: round(ms),
    letIn: upgradesMs.length,
    upgradeP50Ms: round(quantile(upgradesMs, 0.5)),
    upgradeP99Ms: round(quantile(upgradesMs, 0.99)),
    absenceP50Ms: round(quantile(absencesMs, 0.5)),
    absenceP99Ms: round(quantile(absencesMs, 0.99)),
    absenceMaxMs: round(quantile(absencesMs, 1)),
    highestBurst: round(Math.max(...letIn.map((moments) => burstOf(moments, ACCEPTS_PER_SECOND)))),
    toldToComeLater: rebuffs.filter((rebuff) => rebuff === '503').length,
    connectedAtTheEnd: connections,
    acknowledged: verdict.acknowledged,
    violations: Object.keys(verdict.violations).length,
  };
}

const UNLIMITED = { ...NO_RATES, maxUnauthenticated: Infinity };
const FRAGMENT_BYTES = 7;

async function withNode<T>(
  spec: NodeSpec,
  work: (node: FaultNode) => Promise<T>,
  options?: ProcessOptions,
): Promise<T> {
  const node = await FaultNode.start(spec, options);
  try {
    return await work(node);
  } finally {
    await node.kill();
  }
}

/** How much memory a stream of messages takes, and how late the slowest of those was who read. */
function pourOver(stopped: number): Promise<object> {
  return withNode({ options: { limits: NO_RATES } }, async (node) => {
    const readers = await connectCrowd(node, 10);
    for (const reader of readers) await reader.request({ action: 'subscribe', topic: 'room:1' });
    for (const reader of readers.slice(0, stopped)) reader.socket.pause();
    const before = (await node.ask('leftovers'), await node.ask('memory'));
    const watched = readers.slice(stopped).map(watchLateness);
    let rss = before.rss;
    const poured = node.ask('pour', 'room:1', 8_000, 8_000);
    const sampling = (async () => {
      while ((await Promise.race([poured, delay(250)])) !== 'poured')
        rss = Math.max(rss, (await node.ask('memory')).rss);
    })();
    await sampling;
    for (const reader of readers.slice(stopped)) await reader.request({ action: 'ping' }, 30_000);
    const lateness = watched.flatMap(({ latenessMs }) => latenessMs).sort((a, b) => a - b);
    return {
      received: lateness.length,
      latenessP50Ms: round(lateness[Math.floor(lateness.length / 2)]!),
      latenessP99Ms: round(lateness[Math.floor(lateness.length * 0.99)]!),
      latenessMaxMs: round(lateness.at(-1)!),
      rssGrowthMiB: round((rss - before.rss) / MIB),
      connectedAtTheEnd: (await node.ask('counts')).connections,
    };
  });
}

/** Notes how long each message was under way. Both processes go by the same monotonic clock. */
function watchLateness(client: TestClient): { readonly latenessMs: number[] } {
  const latenessMs: number[] = [];
  (client as unknown as { readonly ws: NodeJS.EventEmitter }).ws.on('message', (data: Buffer) => {
    const [, sentAt] = /"at":"(\d+)"/.exec(data.toString()) ?? [];
    if (sentAt) latenessMs.push(Number(process.hrtime.bigint() - BigInt(sentAt)) / 1e6);
  });
  return { latenessMs };
}

/** @returns whether the node has ended the socket */
async function sendFragments(node: FaultNode, count: number): Promise<boolean> {
  const socket = connect(node.port, '127.0.0.1').on('error', () => undefined);
  socket.write(upgradeRequest(`/ws?token=${testToken('ann')}`));
  await once(socket, 'data');
  const fragment = (opcode: number) => Buffer.from([opcode, 0x81, 0, 0, 0, 0, 0x78]);
  const closed = once(socket, 'close').then(
    () => true,
    () => true,
  );
  for (let n = 0; n < count && !socket.destroyed; n++) {
    if (!socket.write(fragment(n === 0 ? 0x01 : 0x00))) await Promise.race([once(socket, 'drain'), closed]);
  }
  return Promise.race([closed, delay(500).then(() => false)]);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
