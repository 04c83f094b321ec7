import type { DeliveryReport } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { trustNewServers } from '../../helpers/old-servers.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis } from '../../helpers/redis-server.js';
import { Feed } from './fleet.js';
import { Traveller } from './traveller.js';

const TRAVELLERS = 60;
const NODES = 3;

const portOf = ({ url }: RealtimeApp) => Number(new URL(url).port);

/** The numbers that did not come right behind those before them. */
const jumps = (numbers: readonly number[]) => numbers.filter((n, index) => index > 0 && n !== numbers[index - 1]! + 1);

/** What became of publication `n`. */
interface Outcome {
  readonly n: number;
  readonly copies: number;
  readonly recipients: number;
  readonly complete: boolean;
}

/** An incomplete report lacks the answers of some nodes, which may have delivered the publication all the same. */
function isUntrue({ copies, recipients, complete }: Outcome): boolean {
  return complete ? copies !== recipients : copies < recipients;
}

describe('When all nodes are restarted, one after the other', () => {
  it('clients miss nothing while they are connected, all come back, every report is true, and Redis is left empty', async () => {
    const crashes = watchForCrashes();
    trustNewServers();
    const redis = await startRedis();
    const parts = { backend: redisBackend({ url: redis.url, lingerMs: 100 }), providers: [Feed] };
    const nodes = await Promise.all(Array.from({ length: NODES }, () => startRealtimeApp(parts)));
    const office = await startRealtimeApp(parts);
    const travellers = Array.from(
      { length: TRAVELLERS },
      (_, n) => new Traveller(`traveller-${n}`, () => nodes.map(portOf)),
    );
    const isBack = () => office.realtime.publish('feed', { type: 'back?' });
    const everybodyIsBack = () =>
      expect.poll(isBack, { timeout: 20_000 }).toMatchObject({ recipients: TRAVELLERS, complete: true });
    await everybodyIsBack();

    const reports: Promise<DeliveryReport>[] = [];
    const count = async (times: number) => {
      for (let time = 0; time < times; time++) {
        reports.push(office.realtime.publish('feed', { type: 'count', payload: reports.length }));
        await delay(5);
      }
    };
    for (const index of nodes.keys()) {
      await count(20);
      const [leaving] = nodes.splice(index, 1);
      await Promise.all([leaving!.close(), count(60)]);
      nodes.splice(index, 0, await startRealtimeApp(parts));
      await everybodyIsBack();
    }
    await count(20);
    await everybodyIsBack();
    await Promise.all(travellers.map((traveller) => traveller.stop()));

    expect(travellers.flatMap(({ visits }) => visits.flatMap(jumps))).toEqual([]);
    const visits = travellers.flatMap((traveller) => traveller.visits);
    const outcomes = (await Promise.all(reports)).map(({ recipients, complete }, n) => {
      return { n, copies: visits.filter((visit) => visit.includes(n)).length, recipients, complete };
    });
    expect(outcomes.filter(isUntrue)).toEqual([]);
    await Promise.all([...nodes, office].map((node) => node.close()));
    expect([await redis.cli('KEYS', '*'), await redis.cli('PUBSUB', 'CHANNELS')]).toEqual(['', '']);
    expect(crashes).toEqual([]);
  });
});
