import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { OnMessage, OnSubscribe, RealtimeMetrics, TopicGateway, type MetricFamily } from 'nestjs-realtime';
import { TestClient, testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

@TopicGateway('chat:{room}')
class Chat {
  @OnSubscribe()
  enter() {
    return true;
  }

  @OnMessage('say')
  say() {
    return 'said';
  }

  @OnMessage('fail', { requireSubscription: false })
  fail() {
    throw new Error('on purpose');
  }
}

async function start(parts: RealtimeAppParts = {}) {
  const app = await startRealtimeApp({ providers: [Chat], ...parts });
  const metrics = app.app.get(RealtimeMetrics);
  const family = (name: string) => metrics.read().find((each) => each.name === name)!;
  /** `a,b = 3` for each sample. */
  const samples = (name: string) =>
    family(name).samples.map(({ labels, value }) => `${Object.values(labels).join(',')} = ${value}`);
  return { ...app, metrics, samples };
}

const seriesOf = (families: readonly MetricFamily[]) => families.reduce((sum, { samples }) => sum + samples.length, 0);

/** Sends an upgrade request of a version of WebSocket that nobody speaks; resolves when it is answered. */
async function upgradeOfVersion7(url: string): Promise<void> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '7',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const asked = request(url, { headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
}

describe('The metrics of a node', () => {
  it('tell what it holds', async () => {
    const { connectAs, samples } = await start();
    const ann = await connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'chat:1' });
    expect([samples('realtime.connections'), samples('realtime.subscriptions')]).toEqual([['json = 1'], [' = 1']]);
    await ann.close();
    await expect.poll(() => samples('realtime.connections')).toEqual(['json = 0']);
    expect(samples('realtime.closes')).toEqual(['json,1005 = 1']);
  });

  it('count messages by address and pattern, once for each recipient', async () => {
    const { connectAs, samples, realtime } = await start();
    const [ann, bob] = [await connectAs('ann'), await connectAs('bob')];
    for (const each of [ann, bob]) await each.request({ action: 'subscribe', topic: 'chat:1' });
    await realtime.publish('chat:1', { type: 'news' });
    await realtime.sendToUser('ann', { type: 'note' });
    await realtime.sendToUser('nobody', { type: 'note' });
    await ann.request({ action: 'message', topic: 'chat:1', type: 'say' });
    expect(samples('realtime.messages.sent')).toEqual(['topic,chat:{room} = 2', 'user = 1']);
    expect(samples('realtime.messages.received')).toEqual(['topic,chat:{room} = 1']);
    expect(Number(samples('realtime.bytes.sent')[0]!.slice(3))).toBeGreaterThan(100);
  });

  it('count the answers to upgrade requests by status', async () => {
    const { connect, connectAs, samples, url } = await start();
    await connectAs('ann');
    await connect({ token: 'nonsense' }).catch(() => undefined);
    await connect({}).catch(() => undefined);
    await upgradeOfVersion7(`${url}/ws?token=${testToken('bob')}`);
    expect(samples('realtime.upgrades').sort()).toEqual(['101 = 1', '400 = 1', '401 = 2']);
  });

  it('count errors by action, pattern and code', async () => {
    const { connectAs, samples } = await start();
    const ann = await connectAs('ann');
    await ann.request({ action: 'message', topic: 'chat:1', type: 'fail' });
    await ann.request({ action: 'subscribe', topic: 'nowhere' });
    await ann.request({ action: 'dance' });
    expect(samples('realtime.command.errors')).toEqual([
      'message,chat:{room},INTERNAL = 1',
      'subscribe,_other,TOPIC_NOT_FOUND = 1',
      '_other,UNKNOWN_ACTION = 1',
    ]);
  });

  it('count commands above the rate limit', async () => {
    const limits = { commandsPerSecond: 1, commandBurst: 2 };
    const { connectAs, samples } = await start({ options: { limits } });
    const ann = await connectAs('ann');
    for (let i = 0; i < 4; i++) ann.send({ action: 'ping', id: i });
    await ann.next(({ type }) => type === 'realtime:error');
    expect(Number(samples('realtime.rate_limited')[0]!.slice(3))).toBeGreaterThan(0);
  });

  it('have a value for every family, and the same series after 10,000 topics and types of a client', async () => {
    const { connectAs, metrics } = await start();
    const ann = await connectAs('ann');
    const burst = async (count: number, label: string) => {
      for (let i = 0; i < count; i++) {
        ann.send({ action: 'message', topic: `${label}${i}`, type: `x${i}` });
        ann.send({ action: 'message', topic: 'chat:1', type: `${label}${i}` });
        ann.send({ action: 'subscribe', topic: `chat:${label}${i % 10}` });
      }
      ann.send({ action: `made-up-${label}` });
      await ann.request({ action: 'ping' }, 60_000);
    };
    const seen = new Set<string>();
    const stop = metrics.observe({ handled: (_seconds, labels) => void seen.add(JSON.stringify(labels)) });
    await burst(10, 'a');
    const before = seriesOf(metrics.read());
    const durations = seen.size;
    await burst(10_000, 'b');
    stop();
    expect([seriesOf(metrics.read()), seen.size]).toEqual([before, durations]);
    expect(durations).toBeLessThan(10);
  }, 120_000);

  it('put the close codes that clients invent under one label', async () => {
    const { connect, samples } = await start();
    const codes = [3000, 3008, 3501, ...Array.from({ length: 30 }, (_, i) => 4000 + i * 30)];
    for (const code of codes) {
      const client: TestClient = await connect({ token: testToken('ann') });
      client.socket.close(code, 'made up');
      await client.nextClose();
    }
    await expect.poll(() => samples('realtime.closes')).toEqual([`json,_other = ${codes.length}`]);
    expect(samples('realtime.slow_closes')).toEqual([' = 0']);
  });
});

describe('Durations', () => {
  it('of connections and commands go to a listener until it stops', async () => {
    const { connectAs, metrics, samples } = await start();
    const seen: string[] = [];
    const note = (kind: string) => (seconds: number, labels: object) => {
      if (seconds >= 0 && seconds < 60) seen.push([kind, ...Object.values(labels)].join(' '));
    };
    const stop = metrics.observe({ closed: note('closed'), handled: note('handled') });
    const ann = await connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'chat:1' });
    await ann.request({ action: 'message', topic: 'chat:1', type: 'say' });
    await ann.close();
    await expect.poll(() => seen).toContain('closed json 1005');
    expect(seen).toEqual(['handled subscribe chat:{room}', 'handled message chat:{room} say', 'closed json 1005']);
    stop();
    await (await connectAs('bob')).close();
    await expect.poll(() => samples('realtime.closes')).toEqual(['json,1005 = 2']);
    expect(seen).toHaveLength(3);
  });
});
