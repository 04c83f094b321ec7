import { beforeEach, describe, expect, it, vi } from 'vitest';
import { all, connection } from '../core/routing/address.js';
import { localReport } from '../core/routing/delivery-report.js';
import { ALL_SUBJECT, nodeSubject } from '../core/bus/subject.js';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../adapters/in-memory/in-memory-message-bus.js';
import { InMemoryNodeDirectory } from '../adapters/in-memory/in-memory-node-directory.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { BusAttachment } from './bus-attachment.js';
import { ConnectionEvents } from './connection-events.js';
import type { EnvelopeRouter } from './envelope-router.js';
import type { LocalQuery } from './local-query.js';
import type { LocalPresence } from './local-presence.js';
import { NodeLifecycle } from './node-lifecycle.js';
import type { PresencePictures } from './presence-pictures.js';
import type { PublishedStreams } from './published-streams.js';
import type { TopicStreams } from './topic-streams.js';
import { NodeMeter } from './node-meter.js';

const CONTENT = { kind: 'message', text: '{}' } as const;

describe('a node that is attached to the bus', () => {
  const route = vi.fn(() => 3);
  const start = vi.fn();
  const stop = vi.fn();
  let bus: InMemoryMessageBus;
  let events: ConnectionEvents;
  /** True if the node was attached to the bus when it reported its users, and when it stopped reporting. */
  let attachedAt: boolean[];
  let attachment: BusAttachment;
  let whileReporting: () => void;

  beforeEach(async () => {
    bus = new InMemoryMessageBus();
    events = new ConnectionEvents();
    attachedAt = [];
    const note = () => void attachedAt.push(bus.isAttached);
    whileReporting = () => undefined;
    const close = async () => {
      note();
      await Promise.resolve();
      whileReporting();
    };
    attachment = new BusAttachment(
      bus,
      new InMemoryNodeDirectory(),
      { route } as unknown as EnvelopeRouter,
      { start, stop, doubtAll: () => undefined } as unknown as TopicStreams,
      { find: () => [] } as unknown as LocalQuery,
      { id: 'n1' },
      new InMemoryConnectionRegistry(),
      new InMemoryPubSubManager(),
      { now: () => 0 },
      events,
      { open: note, close } as unknown as LocalPresence,
      new NodeLifecycle(),
      { start: () => undefined, stop: () => undefined } as unknown as PresencePictures,
      new NodeMeter(),
      { close: () => undefined } as unknown as PublishedStreams,
    );
    await attachment.onModuleInit();
  });

  it.each([ALL_SUBJECT, nodeSubject('n1')])('gets what is published to the subject %s', (subject) => {
    expect(bus.publish(subject, { to: [all()], except: [], content: CONTENT })).toEqual(localReport(3));
  });

  it('does not get what is meant for another node', () => {
    const envelope = { to: [connection('n2.c')], except: [], content: CONTENT };
    expect(bus.publish(nodeSubject('n2'), envelope)).toEqual(localReport(0));
  });

  it('gets nothing any more after the shutdown', async () => {
    await attachment.onApplicationShutdown();
    const published = bus.publish(ALL_SUBJECT, { to: [all()], except: [], content: CONTENT });
    await expect(published).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('tells of its users only while it is attached', async () => {
    await attachment.onApplicationShutdown();
    expect(attachedAt).toEqual([true, true]);
  });

  it('passes on the events that its last report of users causes', async () => {
    const next = vi.fn();
    events.stream$.subscribe(next);
    whileReporting = () => events.emit({ type: 'online', userId: 'ann' });
    await attachment.onApplicationShutdown();
    expect(next.mock.calls).toEqual([[{ type: 'online', userId: 'ann' }]]);
  });

  it('ends its events at the shutdown', async () => {
    const complete = vi.fn();
    events.stream$.subscribe({ complete });
    await attachment.onApplicationShutdown();
    expect(complete).toHaveBeenCalledOnce();
  });
});
