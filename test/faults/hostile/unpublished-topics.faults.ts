import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { HistoryStore } from 'nestjs-realtime/ports';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PublicationStreams } from '../../../lib/core/history/publication-streams.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** Anybody may read any order. */
@TopicGateway('order:{id}', { history: { size: 10, ttlMs: 60_000 } })
class OrderTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

const COUNT = 100;
const NO_RATE = { commandsPerSecond: Infinity, commandBurst: Infinity };

async function stage() {
  const streams: PublicationStreams[] = [];
  const page = vi.spyOn(PublicationStreams.prototype, 'page');
  onTestFinished(() => page.mockRestore());
  const scene = await Scene.set({ providers: [OrderTopic], options: { limits: NO_RATE } });
  await scene.app.app.get(HistoryStore).read('order:0', { limit: 0 }, { size: 10, ttlMs: 60_000 });
  streams.push(...(page.mock.contexts as PublicationStreams[]));
  return { scene, held: () => streams[0]!.held };
}

/** Uses so many topics to which nothing was ever published, in every way that reads their history. */
async function browse(scene: Scene): Promise<void> {
  const guest = await scene.raw();
  for (let n = 0; n < COUNT; n++) {
    const topic = `order:${n}`;
    const commands = [
      { action: 'subscribe', id: `s${n}`, topic, recover: { epoch: 'none', offset: 0 } },
      { action: 'history', id: `h${n}`, topic },
      { action: 'unsubscribe', id: `u${n}`, topic },
    ];
    await guest.write(Buffer.concat(commands.map(commandFrame)));
    await guest.answer(`u${n}`);
  }
}

describe('topics to which nothing was published', () => {
  it('leave nothing behind, however many a client names', async () => {
    const { scene, held } = await stage();
    await scene.during(() => browse(scene));
    expect([held(), await scene.harm()]).toEqual([0, NO_HARM]);
  });

  it('twin: each leaves something when a position is made by the first read', async () => {
    const { scene, held } = await stage();
    const read = PublicationStreams.prototype.page;
    const storing = vi.spyOn(PublicationStreams.prototype, 'page').mockImplementation(function (
      this: PublicationStreams,
      topic,
      ...rest
    ) {
      this.append(topic, '{}', { size: 1, ttlMs: 1_000 }, rest[2]);
      return read.call(this, topic, ...rest);
    });
    onTestFinished(() => storing.mockRestore());
    await browse(scene);
    expect(held()).toBeGreaterThanOrEqual(COUNT);
  });
});
