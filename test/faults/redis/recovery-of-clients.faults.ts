import { createClient } from '@redis/client';
import { queryObjects } from 'node:v8';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TopicFeed } from '../../../lib/core/history/topic-feed.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { heldBytes } from '../../helpers/heap.js';
import type { Trial } from '../../resuming/trial.js';
import { HistoryFleet } from './history-fleet.js';
import { without } from './history-twins.js';
import { Intruder } from './intruder.js';

const CHANNEL = 'realtime@0:topic:log:1';
const HELD = { violations: {}, refused: 0, unknown: 0, notRecovered: 0 };

describe('Clients that are cut off again and again while others publish', () => {
  async function cutOften(trial: Trial): Promise<void> {
    for (let round = 0; round < 5; round++) {
      for (const resumer of trial.resumers) {
        await trial.goesOn(4);
        resumer.cut();
      }
    }
  }

  it('get everything, once and in order', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial({ everyMs: 1 });
    await cutOften(trial);
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject(HELD);
    expect(verdict.recovered).toBeGreaterThanOrEqual(20);
    expect(crashes).toEqual([]);
  });

  it('would get things twice, or in another order, if they did not wait for what they have missed', async () => {
    without.seam();
    const fleet = await HistoryFleet.start();
    for (const { proxy } of fleet.nodes) proxy.delay(5);
    const trial = await fleet.trial({ everyMs: 1 });
    await cutOften(trial);
    expect((await trial.verdict(1_000)).violations).toHaveProperty('reordered');
  });

  it('would miss something if they got only what comes', async () => {
    without.recovery();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial({ everyMs: 1 });
    await cutOften(trial);
    expect((await trial.verdict(1_000)).violations).toHaveProperty('silent gap');
  });
});

describe('Clients that vanish in the middle of it', () => {
  it('leave nothing behind, and the others miss nothing', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    for (const { proxy } of fleet.nodes) proxy.delay(3);
    const trial = await fleet.trial({ everyMs: 10 });
    const at = trial.resumers[0]!.at!;
    await Promise.all(
      Array.from({ length: 120 }, (_, n) => new Intruder(fleet.nodes[n % 3]!.port).vanish('log:1', at, (n * 40) / 120)),
    );
    expect(await trial.verdict()).toMatchObject(HELD);
    await expect.poll(() => fleet.holdings(), { timeout: 10_000 }).toEqual({ connections: 0, channels: 0, feeds: 0 });
    expect(crashes).toEqual([]);
  });
});

describe('Clients that come and go', () => {
  it('leave no subscription, timer or feed behind, and no key that does not end by itself', async () => {
    const fleet = await HistoryFleet.start();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        Array.from({ length: 60 }, (_, n) => new Intruder(fleet.nodes[n % 3]!.port).visit(`log:${n % 20}`)),
      );
    }
    await expect.poll(() => fleet.holdings(), { timeout: 10_000 }).toEqual({ connections: 0, channels: 0, feeds: 0 });
    expect(await fleet.keysForEver()).toEqual([]);
    const after = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await expect.poll(after).toBeLessThanOrEqual(before);
  });
});

describe('What somebody else says in the channel of a topic', () => {
  /** Replays frames of the channel: twice, backwards, from long ago, and with invented offsets. */
  async function playBack(fleet: HistoryFleet, trial: Trial): Promise<void> {
    const stranger = await createClient({ url: fleet.redis.url })
      .on('error', () => undefined)
      .connect();
    const listener = await stranger.duplicate().connect();
    onTestFinished(() => [stranger, listener].forEach((client) => client.destroy()));
    const said: string[] = [];
    await listener.subscribe(CHANNEL, (text) => void said.push(text));
    // Their reports wait for the listener, who answers nothing: so all at once.
    await trial.burst(40, 40);
    await vi.waitUntil(() => said.length >= 40, { timeout: 10_000 });
    await listener.unsubscribe(CHANNEL);
    const old = said.slice(0, 40);
    const ahead = old.map((text) =>
      text.replace(/,(\d+)\],\{\}\]\n/, (_, offset) => `,${Number(offset) + 5_000}],{}]\n`),
    );
    const elsewhere = old.map((text) => text.replace(/\["([\w-]+)",(\d+)\],\{\}\]\n/, '["elsewhere",$2],{}]\n'));
    expect([ahead[0], elsewhere[0]]).not.toContain(old[0]);
    for (const text of [...old, ...old.toReversed(), ...ahead, ...elsewhere]) await stranger.publish(CHANNEL, text);
    await trial.goesOn(20);
  }

  it('changes nothing for anybody', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await playBack(fleet, trial);
    expect(await trial.verdict()).toMatchObject(HELD);
    expect(crashes).toEqual([]);
  });

  it('would arrive if nodes took what comes for all that there is', async () => {
    without.gapCheck();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await playBack(fleet, trial);
    expect(Object.keys((await trial.verdict(1_000)).violations)).toEqual(expect.arrayContaining(['duplicated']));
  });
});

describe('When 50,000 messages are published to one topic at once', () => {
  it('everybody gets each of them or is told, and no more is kept than is allowed', async () => {
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial({ resumers: 3, everyMs: 20 });
    const before = await heldBytes();
    expect(await trial.burst(50_000, 500)).toBe(50_000);
    const verdict = await trial.verdict(30_000);
    expect(verdict.violations).toEqual({});
    const kept = Number(await fleet.redis.cli('XLEN', 'realtime@0:history:log:1'));
    expect(kept).toBeLessThanOrEqual(1_000);
    expect((await heldBytes()) - before).toBeLessThan(150_000_000);
    expect(queryObjects(TopicFeed, { format: 'count' })).toBeLessThanOrEqual(3);
  });
});
