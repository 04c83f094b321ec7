import type { RealtimeLimits } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectCrowd, NO_RATES } from './crowd.js';
import { FaultNode } from './fault-node.js';
import type { StandIn } from './node/stand-ins.js';

const MESSAGES = 50_000;
const READERS = 3;
const PER_TURN = 250;
const TOPIC = 'room:1';
/** Makes a burst larger than the buffers of the operating system for a client that does not read. */
const FILLING = 'x'.repeat(200);

/** Room for all that a reader may be behind on a machine that has other things to do; the default is 1 MiB. */
const PATIENT = { sendQueueBytes: 16 * 2 ** 20 };

interface Reading {
  /** The numbers that arrived, in their order. */
  readonly numbers: readonly number[];
  /** How the reader was closed, if it was. */
  readonly closeCode: number | undefined;
}

interface Burst {
  readonly limits?: RealtimeLimits;
  readonly standIns?: readonly StandIn[];
  /** How many readers do not read while it goes on. */
  readonly stopped?: number;
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Publishes numbers as fast as the node can; returns what each reader got of them. */
async function burst(count: number, { limits = PATIENT, standIns = [], stopped = 0 }: Burst = {}): Promise<Reading[]> {
  const node = await FaultNode.start({ options: { limits: { ...NO_RATES, ...limits } }, standIns });
  try {
    const readers = await connectCrowd(node, READERS);
    for (const reader of readers) await reader.request({ action: 'subscribe', topic: TOPIC });
    for (const reader of readers.slice(0, stopped)) reader.socket.pause();
    await node.ask('count', TOPIC, count, PER_TURN, FILLING);
    for (const reader of readers.slice(0, stopped)) reader.socket.resume();
    return await Promise.all(readers.map(reading));
  } finally {
    await node.kill();
  }
}

/** The frames received, once all earlier ones have arrived or the connection has ended. */
async function reading(client: TestClient): Promise<Reading> {
  const closed = client.nextClose(60_000).then(({ code }) => code);
  const pong = client.request({ action: 'ping' }, 60_000).then(() => undefined);
  const closeCode = await Promise.race([closed, pong]);
  return { numbers: client.pending.flatMap(({ type, payload }) => (type === 'count' ? [payload.n] : [])), closeCode };
}

describe(`${MESSAGES} messages to one topic, as fast as they can be sent`, () => {
  it('arrive at every reader, all and in order', async () => {
    for (const { numbers } of await burst(MESSAGES)) expect(numbers).toEqual(upTo(MESSAGES));
  });

  it('arrive without a gap, up to where they were cut off, at readers who stopped', async () => {
    for (const { numbers, closeCode } of await burst(MESSAGES, { limits: {}, stopped: READERS })) {
      expect(numbers).toEqual(upTo(numbers.length));
      expect(closeCode).toBe(3008);
    }
  });

  it('would not be in order if the bus kept none', async () => {
    for (const { numbers } of await burst(1_000, { standIns: ['a bus that swaps'] })) {
      expect(numbers).not.toEqual(upTo(numbers.length));
    }
  });

  it('would not all arrive if the bus lost some', async () => {
    for (const { numbers } of await burst(1_000, { standIns: ['a bus that loses'] })) {
      expect(numbers.length).toBeLessThan(1_000);
    }
  });
});

const CLIENTS = 100;
const TOPICS_EACH = 100;

describe(`One message to each of ${CLIENTS * TOPICS_EACH} topics`, () => {
  const topicsOf = (reader: number) => upTo(TOPICS_EACH).map((n) => `room:${reader}-${n}`);
  let received: (string | undefined)[][];

  beforeAll(async () => {
    const node = await FaultNode.start({ options: { limits: NO_RATES } });
    try {
      const clients = await connectCrowd(node, CLIENTS);
      for (const reader of upTo(CLIENTS)) await node.ask('subscribe', `user-${reader}`, topicsOf(reader));
      await node.ask('publishOnce', upTo(CLIENTS).flatMap(topicsOf));
      await Promise.all(clients.map((client) => client.request({ action: 'ping' }, 20_000)));
      received = clients.map(({ pending }) => pending.filter(({ type }) => type === 'once').map(({ topic }) => topic));
    } finally {
      await node.kill();
    }
  });

  it('reaches the subscribers of each, once, in the order of the topics', () => {
    expect(received).toEqual(upTo(CLIENTS).map(topicsOf));
  });
});
