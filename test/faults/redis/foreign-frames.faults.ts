import { createClient } from '@redis/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HeardSequences } from '../../../lib/adapters/redis/connection/heard-sequences.js';
import { RedisTransport } from '../../../lib/adapters/redis/connection/redis-transport.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { heldBytes } from '../../helpers/heap.js';
import { Fleet } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

const FEED = 'realtime@0:topic:feed';

/** Somebody else who is connected to the same Redis. */
async function stranger({ redis }: Fleet) {
  const client = createClient({ url: redis.url });
  onTestFinished(() => client.destroy());
  return client.connect();
}

/** Collects this many frames of the nodes on the channel of the topic, which has no subscribers any more. */
async function overheard(fleet: Fleet, count: number): Promise<readonly string[]> {
  const frames: string[] = [];
  const client = await stranger(fleet);
  await client.subscribe(FEED, (text) => void frames.push(text));
  const traffic = new Traffic(fleet, { from: [0, 1] });
  await vi.waitUntil(() => frames.length >= count, { timeout: 20_000 });
  await client.unsubscribe(FEED);
  await traffic.stop();
  return frames.slice(0, count);
}

/** The frame with another origin and another sequence number. */
function again(sample: string, sequence: number): string {
  return sample.replace(/^1e\["[^"]+",\d+/, `1e["somebody",${sequence}`);
}

/** How often the nodes have counted something. */
function counted(fleet: Fleet, what: 'ignored' | 'repeated'): number {
  return fleet.nodes.reduce((sum, { bus }) => sum + bus.stats[what], 0);
}

describe('What is played back on a channel', () => {
  async function playBack(order: (said: readonly string[]) => readonly string[]) {
    const fleet = await Fleet.start();
    const played = order(await overheard(fleet, 40));
    const mischief = await stranger(fleet);
    const before = fleet.readers.map(({ arrivals }) => arrivals.length);
    for (const text of played) await mischief.publish(FEED, text);
    await fleet.healed();
    const copies = fleet.readers.map(({ arrivals }, index) => arrivals.length - before[index]!);
    return { copies, isCounted: counted(fleet, 'repeated') === played.length * fleet.nodes.length };
  }

  it.each([
    ['twice', (said: readonly string[]) => said.flatMap((text) => [text, text])],
    ['in reverse', (said: readonly string[]) => said.toReversed()],
  ])('%s reaches nobody again, and is counted', async (_how, order) => {
    expect(await playBack(order)).toEqual({ copies: [0, 0], isCounted: true });
  });

  it('would reach everybody again if nodes did not recognise it', async () => {
    const isNew = vi.spyOn(HeardSequences.prototype, 'isNew').mockReturnValue(true);
    onTestFinished(() => isNew.mockRestore());
    expect(await playBack((said) => said)).toMatchObject({ copies: [40, 40] });
  });
});

describe('What arrives in another order than it was said', () => {
  it('is taken where it is newer than what was heard, and else left out', async () => {
    const fleet = await Fleet.start();
    const [sample] = await overheard(fleet, 1);
    const before = fleet.readers.map(({ arrivals }) => arrivals.length);
    const mischief = await stranger(fleet);
    for (const sequence of [2, 4, 1, 3, 5]) await mischief.publish(FEED, again(sample!, sequence));
    await fleet.healed();
    expect(fleet.readers.map(({ arrivals }, index) => arrivals.length - before[index]!)).toEqual([3, 3]);
    expect(counted(fleet, 'repeated')).toBe(2 * fleet.nodes.length);
  });
});

describe('What nodes of another version say', () => {
  it('is ignored and counted, and what this one says goes on', async () => {
    const fleet = await Fleet.start();
    const [sample] = await overheard(fleet, 1);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    const news = await stranger(fleet);
    const before = fleet.readers.map(({ arrivals }) => arrivals.filter(({ key }) => sample!.includes(key)).length);
    for (const start of ['2e', '0e', '1z']) await news.publish(FEED, again(sample!, 1).replace('1e', start));
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(counted(fleet, 'ignored')).toBe(3 * fleet.nodes.length);
    expect(traffic.reports.incomplete).toBe(0);
    // The very same in this version would have arrived.
    await news.publish(FEED, again(sample!, 1));
    await fleet.healed();
    const after = fleet.readers.map(({ arrivals }) => arrivals.filter(({ key }) => sample!.includes(key)).length);
    expect(after).toEqual(before.map((count) => count + 1));
  });
});

describe('Garbage', () => {
  const origin = '1e["somebody",1,0';
  const garbage: readonly string[] = [
    '',
    '1',
    '1e',
    '1e[',
    '1e[]\n',
    'x'.repeat(1_000),
    '{"type":"realtime:welcome"}',
    `${origin},[["t","feed"]]]`,
    `${origin},{}]\n{"type":"forged"}`,
    `${origin},null,null,{}]\n{"type":"forged"}`,
    `1e["../..",1,0]\n{}`,
    `1e["somebody",-1,0]\n{}`,
    `1e["somebody",1e400,0]\n{}`,
    `1r["somebody",1,{}]\n[[1,"many"]]`,
    `1n["somebody",1,2,0,{}]\n`,
    `1q["somebody",1,{}]\n`,
    `1f["somebody",1,1,1,{}]\n${'['.repeat(100_000)}`,
    '\u0000\u0001\u0002',
    '\ufffd\ufffd',
  ];

  it.each([FEED, 'realtime@0:all', 'realtime@0:bus'])('on %s is ignored and counted', async (channel) => {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start();
    const vandal = await stranger(fleet);
    const traffic = new Traffic(fleet);
    for (const text of garbage) await vandal.publish(channel, text);
    await vandal.publish(channel, Buffer.from([0xff, 0xfe, 0x31, 0x65, 0xc0, 0x80]));
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.reports.incomplete).toBe(0);
    expect(counted(fleet, 'ignored')).toBe((garbage.length + 1) * fleet.nodes.length);
    expect(crashes).toEqual([]);
  });

  it('of 20 MB is ignored, and not kept', async () => {
    const fleet = await Fleet.start();
    const vandal = await stranger(fleet);
    const before = await heldBytes();
    await vandal.publish('realtime@0:all', `1e["somebody",1,0]\n${'x'.repeat(20_000_000)}`);
    await vi.waitUntil(() => counted(fleet, 'ignored') === fleet.nodes.length, { timeout: 10_000 });
    await fleet.healed();
    expect((await heldBytes()) - before).toBeLessThan(10_000_000);
  });

  it('for which Redis cuts everybody off leaves all as it was', async () => {
    const fleet = await Fleet.start();
    const vandal = await stranger(fleet);
    await vandal.publish('realtime@0:all', 'x'.repeat(40_000_000));
    await expect.poll(() => fleet.redis.log).toContain('overcoming of output buffer limits');
    await fleet.healed();
  });

  it('in the place of the leases is cleared away', async () => {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start({ over: { leaseRefreshMs: 200, leaseTtlMs: 1_000 } });
    const vandal = await stranger(fleet);
    for (const key of await vandal.keys('*')) await vandal.set(key, 'garbage');
    for (const { realtime } of fleet.nodes) {
      await expect.poll(async () => (await realtime.nodes()).length).toBe(fleet.nodes.length);
    }
    await fleet.healed();
    expect(crashes).toEqual([]);
  });
});

describe('A frame that is forged in the name of the node that gets it', () => {
  /** Frames with a sequence that the node will not reach for long; then the node publishes. @returns what it has counted */
  async function forge() {
    const fleet = await Fleet.start();
    const [node] = fleet.nodes;
    const [{ id } = { id: '' }] = await node!.realtime.nodes();
    const forger = await stranger(fleet);
    await forger.publish(FEED, `1e["${id}",9000000000000000,0,[["topic","feed"]],[],{"kind":"revalidate"},{}]\n`);
    await forger.publish('realtime@0:bus', `1p["${id}",9000000000000000,{}]\n`);
    await expect.poll(() => node!.bus.stats.ignored + node!.bus.stats.repeated).toBeGreaterThan(0);
    const { recipients } = await node!.realtime.publish('feed', { type: 'hello' });
    return { hasHeard: recipients > 0, ignored: node!.bus.stats.ignored, repeated: node!.bus.stats.repeated };
  }

  it('is ignored and counted, and what the node says is heard', async () => {
    const { hasHeard, ignored, repeated } = await forge();
    expect([hasHeard, ignored, repeated]).toEqual([true, 2, 0]);
  });

  it('would have the node take its own frames for repeated ones', async () => {
    const isForged = vi.spyOn(RedisTransport.prototype, 'isForged').mockReturnValue(false);
    onTestFinished(() => isForged.mockRestore());
    const { ignored, repeated } = await forge();
    expect([ignored, repeated > 0]).toEqual([0, true]);
  });
});
