import { OnSubscribe, topic, TopicGateway } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { LogRecorder } from '../../helpers/log-recorder.js';
import { startRealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

const NEWS = { type: 'news' };

@TopicGateway('order:{id}')
class Orders {
  @OnSubscribe()
  enter() {
    return true;
  }
}

async function start(parts: RealtimeAppParts = { providers: [Orders] }) {
  const logger = new LogRecorder();
  const app = await startRealtimeApp({ ...parts, logger });
  return { app, realtime: app.realtime, warnings: () => logger.lines.filter((line) => line.startsWith('warn ')) };
}

describe('A message to a topic that no gateway serves', () => {
  it('is warned of, with the name', async () => {
    const { realtime, warnings } = await start();
    await realtime.publish('orders:42', NEWS);
    expect(warnings()).toEqual([expect.stringContaining('A message to the topic "orders:42" reached nobody')]);
  });

  it('is warned of when it is sent with to()', async () => {
    const { realtime, warnings } = await start();
    await realtime.to(topic('order:1'), topic('ordr:1')).send(NEWS);
    expect(warnings()).toEqual([expect.stringContaining('"ordr:1"')]);
  });

  it('is warned of once for all names of its kind', async () => {
    const { realtime, warnings } = await start();
    for (let i = 0; i < 50; i += 1) await realtime.publish(`orders:${i}`, NEWS);
    await realtime.publish('order-7', NEWS);
    await realtime.publish('order-8', NEWS);
    expect(warnings()).toHaveLength(2);
  });

  it('is warned of no more than 20 times, whatever the names', async () => {
    const { realtime, warnings } = await start();
    const names = Array.from({ length: 26 }, (_, i) => String.fromCodePoint(97 + i));
    for (const name of names) await realtime.publish(name, NEWS);
    expect(warnings()).toHaveLength(20);
    expect(warnings().at(-1)).toContain('This is the last warning of its kind.');
  });

  it('is not warned of when the server has subscribed somebody', async () => {
    const { app, realtime, warnings } = await start();
    const ann = await app.connectAs('ann');
    await realtime.subscribe(ann.id, 'private-notes');
    await realtime.publish('private-notes', NEWS);
    expect(warnings()).toEqual([]);
  });

  it('is not warned of in an application without gateways', async () => {
    const { realtime, warnings } = await start({});
    await realtime.publish('orders:42', NEWS);
    expect(warnings()).toEqual([]);
  });
});

it('A message to a topic that a gateway serves is not warned of, although nobody is there', async () => {
  const { realtime, warnings } = await start();
  await realtime.publish('order:42', NEWS);
  await realtime.sendToUser('nobody', NEWS);
  expect(warnings()).toEqual([]);
});
