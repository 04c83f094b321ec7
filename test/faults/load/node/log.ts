import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { setTimeout as delay } from 'node:timers/promises';

/** Public topics with a history. Subscribing takes a while, so that clients can vanish meanwhile. */
@TopicGateway('log:{name}', { history: { size: 1_000, ttlMs: 60_000 } })
export class Log {
  @OnSubscribe()
  async enter(): Promise<boolean> {
    await delay(1);
    return true;
  }
}
