import { Redis } from 'ioredis';
import { servePlainWs } from './plain-ws.js';
import { redisUrl } from './redis-url.js';
import { sendFramed } from './send-framed.js';

const PREFIX = 'bench:';
const publisher = new Redis(redisUrl());
const subscriber = new Redis(redisUrl());

/** Every node hears of every message, as JSON, and frames it once for its own clients. */
await servePlainWs(sendFramed, {
  publish: (topic, json) => void publisher.publish(`${PREFIX}${topic ?? ''}`, json),
  listen: async (deliver) => {
    subscriber.on('pmessage', (_pattern, channel, json) => deliver(channel.slice(PREFIX.length) || undefined, json));
    await subscriber.psubscribe(`${PREFIX}*`);
  },
});
