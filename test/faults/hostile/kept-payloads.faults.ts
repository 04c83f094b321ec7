import { OnSubscribe, TopicGateway, type RealtimeLimits } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { heldBytes } from '../../helpers/heap.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** Anybody may read any order. */
@TopicGateway('order:{id}')
class OrderTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

const MB = 1_048_576;
const TOPICS = 128;
const payload = 'x'.repeat(60_000);

/** A client that opens all of its topics, each with a payload as large as a message. @returns how much is held for it */
async function open(limits: RealtimeLimits = {}) {
  const scene = await Scene.set({ providers: [OrderTopic], options: { limits } });
  const guest = await scene.raw();
  const before = await heldBytes();
  await scene.during(async () => {
    for (let n = 0; n < TOPICS; n++) {
      await guest.write(commandFrame({ action: 'subscribe', id: n, topic: `order:${n}`, payload }));
      await guest.answer(n);
    }
  });
  const held = (await heldBytes()) - before;
  return { scene, guest, held, refused: guest.said.filter(({ type }) => type === 'realtime:error') };
}

describe('a client whose subscriptions have payloads as large as messages', () => {
  it('has those refused that are too large together, and stays', async () => {
    const { scene, guest, held, refused } = await open();
    expect(refused).toHaveLength(TOPICS - 2);
    expect(refused[0]?.payload).toMatchObject({ code: 'LIMIT_EXCEEDED', action: 'subscribe', topic: 'order:2' });
    expect(held).toBeLessThan(3 * MB);
    await guest.write(commandFrame({ action: 'subscribe', id: 'small', topic: 'order:2' }));
    expect(await guest.answer('small')).toMatchObject({ type: 'realtime:subscribed' });
    expect(await scene.harm()).toEqual(NO_HARM);
  });

  it('twin: with mailboxBytes: Infinity holds all of them', async () => {
    const { held, refused } = await open({ mailboxBytes: Infinity });
    expect([refused, held > 6 * MB]).toEqual([[], true]);
  });
});
