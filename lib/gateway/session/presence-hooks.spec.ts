import { beforeEach, describe, expect, it, vi } from 'vitest';
import { sessionParts } from '../../../test/helpers/session-parts.js';
import { InMemoryPresenceStore } from '../../adapters/in-memory/in-memory-presence-store.js';
import type { PresenceChange } from '../../core/presence/presence.js';
import { onlineTopic } from '../../core/topic/reserved-topic.js';
import { LocalPresence } from '../../delivery/local-presence.js';
import type { PresenceNode } from '../../ports/presence-store.js';
import { PresenceHooks } from './presence-hooks.js';

/** A store whose changes the test makes. */
class ScriptedStore extends InMemoryPresenceStore {
  changed: PresenceNode['changed'] = () => undefined;

  override open({ changed }: PresenceNode): void {
    this.changed = changed;
  }
}

/** The hooks that were called, as `<topic> <kind> <user>`. */
let called: string[];
/** The end of a call, for the calls that are to take a while. */
let gate: Promise<void> | undefined;
let store: ScriptedStore;
let events: string[];

beforeEach(async () => {
  [called, events, gate] = [[], [], undefined];
  const { bus, dispatcher, services } = sessionParts();
  store = new ScriptedStore(bus);
  const presence = new LocalPresence(store, 0);
  vi.spyOn(dispatcher, 'presenceChanged').mockImplementation((topic, { kind, userId }) => {
    called.push(`${topic} ${kind} ${userId}`);
    return gate;
  });
  services.events.stream$.subscribe(
    (event) => void events.push('userId' in event ? `${event.type} ${event.userId}` : ''),
  );
  void new PresenceHooks(presence, dispatcher, services.events);
  await presence.open('n1');
  presence.release();
});

const change = (kind: PresenceChange['kind'], userId = 'ann', topic = 'room') => store.changed(topic, { kind, userId });

/** Lets what is in progress come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a presence change', () => {
  it.each(['joined', 'left', 'updated'] as const)('%s runs the hook of its topic and emits no event', (kind) => {
    change(kind);
    expect([called, events]).toEqual([[`room ${kind} ann`], []]);
  });

  it.each([
    ['joined', 'online'],
    ['left', 'offline'],
  ] as const)('%s in an online topic emits %s and runs no hook', (kind, event) => {
    change(kind, 'ann', onlineTopic('ann'));
    expect([called, events]).toEqual([[], [`${event} ann`]]);
  });

  it('of the info in an online topic has no effect', () => {
    change('updated', 'ann', onlineTopic('ann'));
    expect([called, events]).toEqual([[], []]);
  });
});

describe('the hooks of one user in one topic', () => {
  let open!: () => void;

  beforeEach(() => {
    gate = new Promise((resolve) => (open = resolve));
    change('joined');
    gate = undefined;
  });

  it('run one after another', async () => {
    change('left');
    change('joined');
    await settle();
    expect(called).toEqual(['room joined ann']);
    open();
    await settle();
    expect(called).toEqual(['room joined ann', 'room left ann', 'room joined ann']);
  });

  it('do not wait once the running ones have ended', async () => {
    open();
    await settle();
    change('left');
    expect(called).toEqual(['room joined ann', 'room left ann']);
  });

  it.each([
    ['another user', 'bob', 'room'],
    ['another topic', 'ann', 'hall'],
  ])('do not wait for %s', (_whom, userId, topic) => {
    change('joined', userId, topic);
    expect(called).toEqual(['room joined ann', `${topic} joined ${userId}`]);
  });
});
