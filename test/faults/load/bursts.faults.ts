import type { RealtimeLimits } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectCrowd, NO_RATES } from './crowd.js';
import type { FaultNode } from './fault-node.js';
import type { StandIn } from './node/stand-ins.js';
import { startNode } from './start-node.js';

const MESSAGES = 50_000;
const READERS = 3;
const PER_TURN = 250;
const TOPIC = 'room:1';

interface Reading {
  /** The numbers that arrived, in their order. */
  readonly numbers: readonly number[];
  /** How the reader was closed, if it was. */
  readonly closeCode: number | undefined;
}

/** Publishes numbers as fast as the node can, and returns what each reader got of them. */
async function burst(count: number, limits: RealtimeLimits, standIns: readonly StandIn[] = []): Promise<Reading[]> {
  const node = await startNode({ options: { limits: { ...NO_RATES, ...limits } }, standIns });
  const readers = await connectCrowd(node, READERS);
  for (const reader of readers) await reader.request({ action: 'subscribe', topic: TOPIC });
  const readings = readers.map(read);
  await node.ask('count', TOPIC, count, PER_TURN);
  return Promise.all(readings);
}

/** Reads until everything has arrived that was published before the reader's last word, or the connection ends. */
async function read(client: TestClient): Promise<Reading> {
  const closed = client.nextClose(60_000).then(({ code }) => code);
  // The last number of a burst is sent to everybody; afterwards nothing is.
  const last = client.next(({ payload }) => payload?.isLast === true, 60_000);
  const closeCode = await Promise.race([closed, last.then(() => undefined)]);
  return { numbers: client.pending.flatMap(({ type, payload }) => (type === 'count' ? [payload.n] : [])), closeCode };
}
