import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import type { Envelope } from 'nestjs-realtime/ports';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisTransport } from '../../../lib/adapters/redis/connection/redis-transport.js';
import { RedisScript } from '../../../lib/adapters/redis/connection/redis-script.js';
import { user } from '../../../lib/core/routing/address.js';
import { Fleet } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

/** Adds fields to frames that this version does not know, as a later version may. */
const LATER = {
  'among the optional fields': ',{"trace":"00-4bf9-01","hops":[1,null]}]\n',
  'in another place': ',"00-4bf9-01",{}]\n',
};

@TopicGateway('log', { history: { size: 10, ttlMs: 60_000 } })
class Log {
  @OnSubscribe()
  enter() {
    return true;
  }
}

/** Two nodes in the middle of a rolling deploy: the first is of a later version, and writes another field into each frame. */
async function rollingDeploy(where: keyof typeof LATER): Promise<Fleet> {
  const fleet = await Fleet.start({ providers: [Log] });
  const [later] = fleet.nodes;
  const [{ id } = { id: '' }] = await later!.realtime.nodes();
  const change = (text: string): string => text.replace(/,\{\}\]\n/, () => LATER[where]);
  const { send } = RedisTransport.prototype;
  const sending = vi.spyOn(RedisTransport.prototype, 'send').mockImplementation(function (
    this: RedisTransport,
    channel,
    text,
    ...rest
  ) {
    send.call(this, channel, this.isOwn(id) ? change(text) : text, ...rest);
  });
  const { run } = RedisScript.prototype;
  const running = vi.spyOn(RedisScript.prototype, 'run').mockImplementation(function (
    this: RedisScript,
    server,
    keys,
    args,
  ) {
    const isFromLater = args.some((each) => each.startsWith(`1e["${id}"`));
    return run.call(this, server, keys, isFromLater ? args.map(change) : args);
  });
  onTestFinished(() => [sending, running].forEach((spy) => spy.mockRestore()));
  return fleet;
}

/** The later version asks for something that this one does not know. */
function explode(fleet: Fleet, report: boolean) {
  const content = { kind: 'explode', after: 5 };
  const envelope = { to: [user('reader-1')], except: [], content } as unknown as Envelope;
  return fleet.nodes[0]!.bus.publish('user:reader-1', envelope, { report });
}

describe('A node of this version beside one of a later version', () => {
  it('delivers and answers all that it knows, with fields that it does not know', async () => {
    const fleet = await rollingDeploy('among the optional fields');
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await fleet.healed();
    await traffic.stop();
    expect([traffic.faults, traffic.reports.incomplete]).toEqual([NO_FAULTS, 0]);
    expect(fleet.nodes.map(({ bus }) => bus.stats.ignored)).toEqual([0, 0]);
  });

  it('gets the publications of a topic that keeps a history, and keeps them without the field', async () => {
    const fleet = await rollingDeploy('among the optional fields');
    const [later, node] = fleet.nodes;
    const ann = await node!.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'log' });
    expect(await later!.realtime.publish('log', { type: 'entry' })).toMatchObject({ recipients: 1, complete: true });
    expect(await ann.next('entry')).toMatchObject({ offset: 1 });
    const { publications } = await node!.realtime.history('log');
    expect(publications).toMatchObject([{ type: 'entry', offset: 1 }]);
  });

  it('answers an order that it does not know with 0 at once, and the report is not complete', async () => {
    const fleet = await rollingDeploy('among the optional fields');
    const took = async () => {
      const before = performance.now();
      expect(await explode(fleet, true)).toEqual({ recipients: 0, nodes: 0, complete: false });
      return performance.now() - before;
    };
    // An answer that does not come is waited for for a second.
    await expect.poll(took).toBeLessThan(900);
  });

  it('does not answer one that nobody asked a report for', async () => {
    const fleet = await rollingDeploy('among the optional fields');
    expect(await explode(fleet, false)).toEqual({ recipients: 0, nodes: 0, complete: false });
    await fleet.healed();
  });

  it('refuses a query that it does not know at once', async () => {
    const fleet = await rollingDeploy('among the optional fields');
    const took = async () => {
      const before = performance.now();
      const asked = fleet.nodes[0]!.bus.ask('user:reader-1', { kind: 'secrets', of: user('reader-1') } as never);
      await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      return performance.now() - before;
    };
    await expect.poll(took).toBeLessThan(900);
  });

  it('would hear nothing of it if the field stood in any other place', async () => {
    const fleet = await rollingDeploy('in another place');
    expect(await fleet.nodes[0]!.realtime.sendToUser('reader-1', { type: 'hello' })).toEqual({
      recipients: 0,
      nodes: 0,
      complete: false,
    });
    expect(fleet.nodes[1]!.bus.stats.ignored).toBeGreaterThan(0);
  });
});
