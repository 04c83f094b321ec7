import type { RealtimeLimits } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectCrowd, NO_RATES } from './crowd.js';
import { FaultNode } from './fault-node.js';

const HEAP_MIB = 128;
const MIB = 2 ** 20;
const HEALTHY = 5;
/** Together they may not have as much waiting as each of them alone. */
const STOPPED = 60;
const PER_ROUND = 20;
const MESSAGE_SIZE = 16 * 1024;
const MAX_ROUNDS = 150;

/** Pings would end clients that do not read, whatever waits for them. */
const NO_HEARTBEAT = { intervalMs: 86_400_000 };

/** The result for a node with a small heap that sends much to clients that do not read. */
interface Pressed {
  /** The numbers that each healthy reader got. */
  readonly read: readonly unknown[][];
  /** How many numbers were published to them. */
  readonly published: number;
  /** Who is still connected. */
  readonly connections: number;
  /** Most memory outside of the heap, where what waits to be written is, in MiB. */
  readonly highestMiB: number;
}

/** Goes on until those who do not listen are gone, or hold this much memory. */
async function press(limits: RealtimeLimits, enoughMiB = Infinity): Promise<Pressed> {
  const options = { limits: { ...NO_RATES, ...limits }, heartbeat: NO_HEARTBEAT };
  const node = await FaultNode.start({ options }, { heapMiB: HEAP_MIB });
  try {
    const clients = await connectCrowd(node, HEALTHY + STOPPED);
    const healthy = clients.slice(0, HEALTHY);
    const stopped = clients.slice(HEALTHY);
    for (const client of healthy) await client.request({ action: 'subscribe', topic: 'room:healthy' });
    for (const client of stopped) {
      await client.request({ action: 'subscribe', topic: 'room:stopped' });
      client.socket.pause();
    }
    let published = 0;
    let highestMiB = 0;
    for (let round = 0; round < MAX_ROUNDS && highestMiB < enoughMiB; round++) {
      await node.ask('flood', 'room:stopped', 8, MESSAGE_SIZE);
      await node.ask('count', 'room:healthy', PER_ROUND, PER_ROUND, 'x'.repeat(MESSAGE_SIZE));
      published += PER_ROUND;
      // A client that reads keeps up.
      await Promise.all(healthy.map((client) => client.settled()));
      const { external } = await node.ask('memory', true);
      highestMiB = Math.max(highestMiB, external / MIB);
      if ((await node.ask('counts')).connections <= HEALTHY) break;
    }
    const { connections } = await node.ask('counts');
    for (const client of stopped) client.socket.terminate();
    return { read: healthy.map(numbers), published, connections, highestMiB };
  } finally {
    await node.kill();
  }
}

function numbers({ pending }: TestClient): unknown[] {
  return pending.filter(({ type }) => type === 'count').map(({ payload }) => payload.n);
}

describe(`A node with a heap of ${HEAP_MIB} MiB that sends much to ${STOPPED} clients who do not read`, () => {
  let pressed: Pressed;
  beforeAll(async () => {
    pressed = await press({});
  });

  it('stays up, without them', () => {
    expect(pressed.connections).toBe(HEALTHY);
  });

  it('holds less for them than half of its heap', () => {
    // A quarter of the whole heap's limit, which is a little more than that of its old generation, and what is being sent now.
    expect(pressed.highestMiB).toBeLessThan(HEAP_MIB / 2);
  });

  it('loses nothing of what others are sent, and keeps its order', () => {
    const all = Array.from({ length: pressed.published }, (_, n) => n % PER_ROUND);
    for (const read of pressed.read) expect(read).toEqual(all);
  });
});

describe('Without limits for what may wait', () => {
  it('it would hold more than that', async () => {
    const unlimited = { sendQueueBytes: Infinity, totalSendQueueBytes: Infinity, writeStallMs: Infinity };
    const { connections, highestMiB } = await press(unlimited, HEAP_MIB / 2);
    expect(connections).toBe(HEALTHY + STOPPED);
    expect(highestMiB).toBeGreaterThanOrEqual(HEAP_MIB / 2);
  });
});
