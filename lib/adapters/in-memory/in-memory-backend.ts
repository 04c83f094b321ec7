import type { RealtimeBackend } from '../../ports/backend.js';
import { MessageBus } from '../../ports/message-bus.js';
import { InMemoryMessageBus } from './in-memory-message-bus.js';

/**
 * The default backend: one node, which keeps everything in its own memory.
 * @publicApi
 */
export function inMemoryBackend(): RealtimeBackend {
  return { name: 'in-memory', providers: [{ provide: MessageBus, useClass: InMemoryMessageBus }] };
}
