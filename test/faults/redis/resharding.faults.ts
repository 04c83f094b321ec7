import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClusterNetwork } from '../../../lib/adapters/redis/connection/cluster-network.js';
import { RedisChannels } from '../../../lib/adapters/redis/connection/redis-channels.js';
import { RedisNetwork } from '../../../lib/adapters/redis/connection/redis-network.js';
import { SlotMoves } from '../../../lib/adapters/redis/connection/slot-moves.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { hasRunFor, SlotMove, startRedisCluster, type RedisCluster } from '../../helpers/redis-cluster.js';
import type { Host } from '../../resuming/host.js';
import { Trial } from '../../resuming/trial.js';
import { Log } from '../load/node/log.js';
import { ROOM, usersOf, Watcher } from './presence-scene.js';

const NODES = 3;
const PARTITIONS = 4;
const TOPIC = 'log:1';
/** For how long a slot stays half moved, in milliseconds. */
const HALF_MOVED_MS = 2_000;
const PATIENT = { timeout: 10_000, interval: 20 };
const LEASE_REFRESH_MS = 10_000;
const LEASE_TTL_MS = 30_000;
/**
 * A busy machine may prove too late that a slot moved with its data. Then presence begins a new epoch, in which users who have
 * left stay until all nodes have reported theirs again: after `LEASE_TTL_MS` at the latest.
 */
const AFTER_A_LEASE = { timeout: LEASE_TTL_MS + PATIENT.timeout, interval: 100 };

const channels = new RedisChannels('realtime', 0, PARTITIONS);
const slotOf = (topic: string) => channels.slotOf(channels.of(`topic:${topic}`).partition);

/** A public topic with presence. */
@TopicGateway('room:{id}', { presence: true })
class Room {
  @OnSubscribe()
  enter() {
    return true;
  }
}

let cluster: RedisCluster;
let end = async () => {};
let nodes: (RealtimeApp & Host)[];

beforeAll(async () => {
  cluster = await startRedisCluster({ finished: (given) => void (end = given) });
  await hasRunFor(cluster, 4);
}, 60_000);
afterAll(() => end());

beforeEach(async () => {
  for (const server of cluster.servers) await server.cli('FLUSHALL');
  nodes = [];
  for (let index = 0; index < NODES; index++) {
    const backend = redisBackend({
      cluster: { rootNodes: cluster.urls.map((url) => ({ url })) },
      partitions: PARTITIONS,
      lingerMs: 50,
      // Longer than a move takes on a busy machine.
      commandTimeoutMs: 20_000,
      leaseRefreshMs: LEASE_REFRESH_MS,
      leaseTtlMs: LEASE_TTL_MS,
    });
    const app = await startRealtimeApp({
      options: { limits: { maxHistoryPage: 1_000 } },
      backend,
      providers: [Log, Room],
      finished: (close) => onTestFinished(close),
    });
    const { realtime } = app;
    const port = Number(new URL(app.url).port);
    nodes.push({ ...app, port, publish: (topic, message, how) => realtime.publish(topic, message, how) });
  }
});

async function trial(): Promise<Trial> {
  const begun = await Trial.begin(() => nodes, { topic: TOPIC });
  onTestFinished(() => begun.stop());
  return begun;
}

/** Moves the slot of a topic, key by key; half of the keys are on either server for a while. */
async function reshard(topic: string, halfMovedMs = HALF_MOVED_MS): Promise<void> {
  const move = await SlotMove.begin(cluster, slotOf(topic));
  await move.keys(Math.ceil((await move.left()) / 2), 1);
  await delay(halfMovedMs);
  await move.keys(Infinity, 1);
  await delay(halfMovedMs / 4);
  await move.end();
}

const epochs = ({ journal }: Trial) =>
  new Set(journal.statements.flatMap(({ outcome }) => (outcome.kind === 'acknowledged' ? [outcome.epoch] : [])));

describe(
  'While the slot of a topic moves to another server, and stays half moved for seconds,',
  { timeout: 90_000 },
  () => {
    it('nothing is lost, doubled, disordered or refused, and clients that come back recover in the same epoch', async () => {
      const crashes = watchForCrashes();
      const begun = await trial();
      for (let n = 2; n < 40; n++) await nodes[0]!.realtime.publish(`log:${n}`, { type: 'filler' });
      await begun.goesOn(50);
      await reshard(TOPIC);
      for (const resumer of begun.resumers.slice(0, 3)) resumer.cut();
      await begun.goesOn(50);
      const verdict = await begun.verdict();
      expect(verdict).toMatchObject({ violations: {}, refused: 0, unknown: 0, notRecovered: 0 });
      expect(verdict.recovered).toBeGreaterThanOrEqual(3);
      expect(epochs(begun).size).toBe(1);
      expect(crashes).toEqual([]);
    });

    it('clients would be told that they missed publications if nodes did not prove that nothing was lost', async () => {
      const spy = vi.spyOn(SlotMoves.prototype, 'moved').mockReturnValue();
      onTestFinished(() => spy.mockRestore());
      const begun = await trial();
      await begun.goesOn(50);
      await reshard(TOPIC, 200);
      await begun.goesOn(50);
      const verdict = await begun.verdict();
      expect(verdict.violations).toEqual({});
      expect(verdict.notRecovered).toBeGreaterThan(0);
      expect(epochs(begun).size).toBeGreaterThan(1);
    });

    it('publications would be refused if nodes did not follow the keys', async () => {
      const { run } = RedisNetwork.prototype;
      const spy = vi.spyOn(ClusterNetwork.prototype, 'run').mockImplementation(function (this: RedisNetwork, ...args) {
        return run.apply(this, args);
      });
      onTestFinished(() => spy.mockRestore());
      await nodes[0]!.realtime.publish(TOPIC, { type: 'filler' });
      const move = await SlotMove.begin(cluster, slotOf(TOPIC));
      await move.keys();
      await expect(nodes[0]!.realtime.publish(TOPIC, { type: 'refused' })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      await move.end();
    });

    it('clients that subscribe then are let in', async () => {
      const publish = () => nodes[0]!.realtime.publish(TOPIC, { type: 'filler' });
      await publish();
      const move = await SlotMove.begin(cluster, slotOf(TOPIC));
      await move.keys();
      const early = await nodes[1]!.connectAs('early');
      expect(await early.request({ action: 'subscribe', topic: TOPIC })).toMatchObject({ type: 'realtime:subscribed' });
      await move.end();
      // At once: no node has asked for the slots since.
      const late = await nodes[2]!.connectAs('late');
      expect(await late.request({ action: 'subscribe', topic: TOPIC })).toMatchObject({ type: 'realtime:subscribed' });
      const { offset } = await publish();
      expect(await early.next('filler')).toMatchObject({ offset });
      expect(await late.next('filler')).toMatchObject({ offset });
    });

    it('users come and go: afterwards all nodes and all watchers know the same users, each told once', async () => {
      const watchers = [await Watcher.join(nodes[0]!, 'watcher-0'), await Watcher.join(nodes[1]!, 'watcher-1')];
      const leaver = await nodes[2]!.connectAs('leaver');
      await leaver.request({ action: 'subscribe', topic: ROOM });
      for (const watcher of watchers) await expect.poll(() => watcher.picture(), PATIENT).toContain('leaver');
      const comer = await nodes[2]!.connectAs('comer');
      const resharded = reshard(ROOM, 1_000);
      await delay(500);
      comer.send({ action: 'subscribe', topic: ROOM, id: 'enter' });
      leaver.send({ action: 'unsubscribe', topic: ROOM, id: 'leave' });
      await resharded;
      const there = ['comer', 'watcher-0', 'watcher-1'];
      for (const node of nodes) await expect.poll(() => usersOf(node), AFTER_A_LEASE).toEqual(there);
      for (const watcher of watchers) {
        await expect.poll(() => watcher.picture(), AFTER_A_LEASE).toEqual(there);
        expect(watcher.odd).toEqual([]);
      }
    });
  },
);
