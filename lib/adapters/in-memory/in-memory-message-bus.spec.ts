import { describe, expect, it, vi } from 'vitest';
import { all } from '../../core/routing/address.js';
import type { Envelope } from '../../core/routing/envelope.js';
import { InMemoryMessageBus } from './in-memory-message-bus.js';

const envelope: Envelope = { to: [all()], except: [], content: { kind: 'subscribe', topic: 'chat:1' } };
const nobody = { recipients: 0, nodes: 0, complete: true };

describe('InMemoryMessageBus', () => {
  it('answers in the same call, with what the receiver reached', () => {
    const bus = new InMemoryMessageBus();
    bus.open({ id: 'n1', receive: () => 3, respond: () => [] });
    bus.join('all');
    expect(bus.publish('all', envelope)).toEqual({ recipients: 3, nodes: 1, complete: true });
  });

  it('has no recipients before it is opened', () => {
    const bus = new InMemoryMessageBus();
    bus.join('all');
    expect(bus.publish('all', envelope)).toEqual(nobody);
  });

  it('refuses what is published after it was closed', async () => {
    const bus = new InMemoryMessageBus();
    bus.open({ id: 'n1', receive: () => 3, respond: () => [] });
    bus.close();
    bus.join('all');
    await expect(bus.publish('all', envelope)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('forgets what was joined when it is closed', () => {
    const bus = new InMemoryMessageBus();
    const receive = vi.fn(() => 1);
    bus.join('all');
    bus.close();
    bus.open({ id: 'n1', receive, respond: () => [] });
    void bus.publish('all', envelope);
    expect(receive).not.toHaveBeenCalled();
  });
});
