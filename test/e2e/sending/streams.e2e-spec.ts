import {
  CancelSignal,
  CurrentConnection,
  OnMessage,
  OnSubscribe,
  TopicGateway,
  user,
  type RealtimeCancelledError,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { beforeEach, expect, it } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

let stage: Stage;
let ann: StageGuest;
/** What the producer does, in order. */
let log: string[];

@TopicGateway('chat:{id}')
class ChatTopic {
  @OnSubscribe()
  join(@CurrentConnection() { roles }: RealtimeConnection) {
    return !roles.has('banned');
  }

  /** Waits for an item that never comes, as long as the signal lets it. */
  @OnMessage('ask')
  async *ask(@CancelSignal() signal: AbortSignal) {
    try {
      yield 1;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    } finally {
      log.push(`ended: ${(signal.reason as RealtimeCancelledError).reason}`);
    }
  }
}

beforeEach(async () => {
  log = [];
  stage = await Stage.set({ providers: [ChatTopic], options: { drain: { timeoutMs: 1_000 } } });
  ann = await stage.connectAs('ann');
  await ann.request({ action: 'subscribe', topic: 'chat:1' });
  ann.send({ action: 'message', id: 1, topic: 'chat:1', type: 'ask' });
  await ann.next('realtime:reply');
});

it.each<[string, string, () => unknown]>([
  ['unsubscribes its reader', 'leave', () => stage.realtime.unsubscribe(ann.id, 'chat:1')],
  ['takes away the right to stay', 'leave', () => stage.realtime.changeRights(user('ann'), { roles: ['banned'] })],
  ['disconnects its reader', 'disconnect', () => stage.realtime.disconnect(user('ann'))],
  ['drains the node of its reader', 'shutdown', () => ann.node.realtime.drain()],
])('a stream that waits ends when any node %s', async (_what, reason, end) => {
  void end();
  await expect.poll(() => log).toEqual([`ended: ${reason}`]);
});
