import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { setTimeout as delay } from 'node:timers/promises';

/** Topics that everybody may subscribe to, and that keep a history. Nobody is in at once, so that clients can vanish meanwhile. */
@TopicGateway('log:{name}', { history: { size: 1_000, ttlMs: 60_000 } })
export class Log {
  @OnSubscribe()
  async enter(): Promise<boolean> {
    await delay(1);
    return true;
  }
}
