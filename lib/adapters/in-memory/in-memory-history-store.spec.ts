import { describe, expect, it, vi } from 'vitest';
import { barePromise } from '../../../test/helpers/bare-promise.js';
import { ManualClock } from '../../../test/helpers/manual-clock.js';
import { RandomIdGenerator } from '../system/random-id-generator.js';
import { InMemoryHistoryStore } from './in-memory-history-store.js';
import { InMemoryMessageBus } from './in-memory-message-bus.js';

const RETENTION = { size: 10, ttlMs: 1_000 };
const TEXT = '{"type":"t"}';

describe('InMemoryHistoryStore', () => {
  it('answers in the same call', () => {
    const history = new InMemoryHistoryStore(new InMemoryMessageBus(), new ManualClock(), new RandomIdGenerator());
    expect(history.publish('chat:1', TEXT, RETENTION, { report: true })).toMatchObject({ recipients: 0, offset: 1 });
    expect(history.read('chat:1', { limit: 10 }, RETENTION).publications).toEqual([{ offset: 1, text: TEXT }]);
  });

  it('waits for a bus that does', async () => {
    const bus = new InMemoryMessageBus();
    bus.open({ id: 'n1', receive: () => Promise.resolve(3), respond: () => [] });
    bus.join('topic:chat:1');
    const history = new InMemoryHistoryStore(bus, new ManualClock(), new RandomIdGenerator());
    expect(await history.publish('chat:1', TEXT, RETENTION, { report: true })).toMatchObject({
      recipients: 3,
      nodes: 1,
      offset: 1,
    });
  });

  it('waits for one whose promises are those of another library', async () => {
    const bus = new InMemoryMessageBus();
    const report = { recipients: 3, nodes: 1, complete: true };
    vi.spyOn(bus, 'publish').mockReturnValue(barePromise(Promise.resolve(report)));
    const history = new InMemoryHistoryStore(bus, new ManualClock(), new RandomIdGenerator());
    expect(await history.publish('chat:1', TEXT, RETENTION, { report: true })).toMatchObject({ ...report, offset: 1 });
  });
});
