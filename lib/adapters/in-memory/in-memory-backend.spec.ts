import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { Clock } from '../../ports/clock.js';
import { HistoryStore } from '../../ports/history-store.js';
import { IdGenerator } from '../../ports/id-generator.js';
import { MessageBus } from '../../ports/message-bus.js';
import { PresenceStore } from '../../ports/presence-store.js';
import { RandomIdGenerator } from '../system/random-id-generator.js';
import { SystemClock } from '../system/system-clock.js';
import { inMemoryBackend } from './in-memory-backend.js';
import { InMemoryHistoryStore } from './in-memory-history-store.js';
import { InMemoryMessageBus } from './in-memory-message-bus.js';
import { InMemoryPresenceStore } from './in-memory-presence-store.js';

describe('inMemoryBackend', () => {
  it('provides a bus, a history and presence', async () => {
    const { bus, history, presence } = await portsOf(inMemoryBackend());
    expect(bus).toBeInstanceOf(InMemoryMessageBus);
    expect(history).toBeInstanceOf(InMemoryHistoryStore);
    expect(presence).toBeInstanceOf(InMemoryPresenceStore);
  });

  it('gives each application a bus, a history and presence of its own', async () => {
    const backend = inMemoryBackend();
    const [one, other] = [await portsOf(backend), await portsOf(backend)];
    expect(one.bus).not.toBe(other.bus);
    expect(one.history).not.toBe(other.history);
    expect(one.presence).not.toBe(other.presence);
  });
});

async function portsOf({ providers }: ReturnType<typeof inMemoryBackend>) {
  const module = await Test.createTestingModule({
    providers: [
      ...providers,
      { provide: Clock, useClass: SystemClock },
      { provide: IdGenerator, useClass: RandomIdGenerator },
    ],
  }).compile();
  return { bus: module.get(MessageBus), history: module.get(HistoryStore), presence: module.get(PresenceStore) };
}
