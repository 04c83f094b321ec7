import type { RealtimeBackend } from '../../ports/backend.js';
import { Clock } from '../../ports/clock.js';
import { HistoryStore } from '../../ports/history-store.js';
import { IdGenerator } from '../../ports/id-generator.js';
import { MessageBus } from '../../ports/message-bus.js';
import { NodeDirectory } from '../../ports/node-directory.js';
import { PresenceStore } from '../../ports/presence-store.js';
import { InMemoryHistoryStore } from './in-memory-history-store.js';
import { InMemoryMessageBus } from './in-memory-message-bus.js';
import { InMemoryNodeDirectory } from './in-memory-node-directory.js';
import { InMemoryPresenceStore } from './in-memory-presence-store.js';

/**
 * The default backend: a single node that keeps everything in memory.
 * @publicApi
 */
export function inMemoryBackend(): RealtimeBackend {
  return {
    name: 'in-memory',
    providers: [
      { provide: MessageBus, useClass: InMemoryMessageBus },
      { provide: NodeDirectory, useClass: InMemoryNodeDirectory },
      {
        provide: HistoryStore,
        inject: [MessageBus, Clock, IdGenerator],
        useFactory: (bus: MessageBus, clock: Clock, ids: IdGenerator) => new InMemoryHistoryStore(bus, clock, ids),
      },
      {
        provide: PresenceStore,
        inject: [MessageBus],
        useFactory: (bus: MessageBus) => new InMemoryPresenceStore(bus),
      },
    ],
  };
}
