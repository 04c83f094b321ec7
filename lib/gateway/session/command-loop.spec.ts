import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { sessionParts } from '../../../test/helpers/session-parts.js';
import type { ReplySink } from '../../handlers/reply-sink.js';
import { CommandLoop, type QueuedCommand } from './command-loop.js';

const MAILBOX_SIZE = 4;

let client: FakeClient;
let loop: CommandLoop;
/** The messages that reached a handler, by id, and those that were cancelled. */
let handled: unknown[];
let cancelled: unknown[];
let sinks: ReplySink[];
/** Ends the oldest turn that a message still holds. */
let turns: (() => void)[];

beforeEach(() => {
  const { dispatcher, services } = sessionParts({ limits: { mailboxSize: MAILBOX_SIZE, maxTopicLength: 10 } });
  client = new FakeClient();
  [handled, cancelled, sinks, turns] = [[], [], [], []];
  vi.spyOn(dispatcher, 'message').mockImplementation((_connection, { id, type }, _isSubscribed, sink) => {
    handled.push(id);
    sinks.push(sink);
    const released = type === 'quick' ? undefined : new Promise<void>((resolve) => turns.push(resolve));
    return { endsWithTopic: false, released, cancel: () => void cancelled.push(id) };
  });
  loop = new CommandLoop(client, services, { left: () => Promise.resolve(), undone: () => Promise.resolve() });
});

const slow = (id: number): QueuedCommand => ({ action: 'message', topic: 'desk', type: 'slow', id });
const quick = (id: number): QueuedCommand => ({ action: 'message', topic: 'desk', type: 'quick', id });

/** Ends the running turn, and lets the next one begin. */
async function endTurn(): Promise<void> {
  turns.shift()!();
  await new Promise((resolve) => setImmediate(resolve));
}

/** Returns a list that gets an entry once the loop has nothing to do. */
function idle(): string[] {
  const ends: string[] = [];
  void loop.finish().then(() => ends.push('idle'));
  return ends;
}

describe('commands', () => {
  it('wait for the start', () => {
    loop.accept(quick(1));
    expect(handled).toEqual([]);
    loop.start();
    expect(handled).toEqual([1]);
  });

  it('run in the turn of their arrival if none is running', () => {
    loop.start();
    for (const id of [1, 2]) loop.accept(quick(id));
    expect(handled).toEqual([1, 2]);
  });

  it('run one after another, in the order of their arrival', async () => {
    loop.start();
    for (const command of [slow(1), quick(2), slow(3)]) loop.accept(command);
    expect(handled).toEqual([1]);
    await endTurn();
    expect(handled).toEqual([1, 2, 3]);
  });

  it('that wait count for the room that is left: a topic that is left first makes room for another one', () => {
    const { services } = sessionParts({ limits: { maxTopicsPerConnection: 2 } });
    loop = new CommandLoop(client, services, { left: () => Promise.resolve(), undone: () => Promise.resolve() });
    const rooms = (['subscribe', 'subscribe', 'unsubscribe'] as const).map((action, n) => {
      loop.accept({ action, topic: `topic-${n}`, id: n });
      return loop.hasRoomFor('another');
    });
    expect(rooms).toEqual([true, false, true]);
  });

  it.each(['', 'a b', 'x'.repeat(11)])('with the topic "%s" are refused, and do not hold up the next', (topic) => {
    loop.start();
    loop.accept({ action: 'message', topic, type: 'quick', id: 1 });
    loop.accept(quick(2));
    expect([client.errors, handled]).toEqual([[['VALIDATION_FAILED', 1]], [2]]);
  });

  it('of every kind reach their handling', async () => {
    loop.start();
    const topic = 'desk';
    for (const action of ['subscribe', 'history', 'presence'] as const) loop.accept({ action, topic, id: action });
    loop.accept({ action: 'unsubscribe', topic, id: 'unsubscribe' });
    await vi.waitFor(
      () => expect(client.told.at(-1)).toEqual({ kind: 'unsubscribed', id: 'unsubscribe', topic }),
      15_000,
    );
    expect(client.errors.map(([, id]) => id)).toEqual(['subscribe', 'history', 'presence']);
  });

  it('do not run after the client has closed, although they were waiting', async () => {
    loop.start();
    for (const command of [slow(1), quick(2)]) loop.accept(command);
    client.disconnect('DISCONNECTED');
    await endTurn();
    expect(handled).toEqual([1]);
  });
});

describe('backpressure', () => {
  const fill = () => {
    for (let id = 1; id <= MAILBOX_SIZE; id++) loop.accept(slow(id));
  };

  it('pauses reading when the mailbox is full, and resumes when half of it is free', async () => {
    loop.start();
    fill();
    expect(client.log).toEqual([]);
    loop.accept(slow(5));
    expect(client.log).toEqual(['pause: mailbox']);
    await endTurn();
    expect(client.log).toEqual(['pause: mailbox']);
    await endTurn();
    expect(client.log).toEqual(['pause: mailbox', 'resume: mailbox']);
  });

  it('also ends when waiting messages are cancelled', () => {
    fill();
    for (const id of [1, 2]) loop.cancel(id);
    expect(client.log).toEqual(['pause: mailbox', 'resume: mailbox']);
  });
});

describe('a cancelled message', () => {
  it('that is running is cancelled, and answered as complete', () => {
    loop.start();
    loop.accept(slow(1));
    loop.cancel(1);
    expect([cancelled, client.told]).toEqual([[1], [{ kind: 'complete', id: 1 }]]);
  });

  it('that is waiting never runs', async () => {
    loop.start();
    for (const command of [slow(1), quick(2), quick(3)]) loop.accept(command);
    loop.cancel(2);
    await endTurn();
    expect([handled, client.told]).toEqual([[1, 3], [{ kind: 'complete', id: 2 }]]);
  });

  it('that is waiting, and whose replies would come under another id, is answered first', async () => {
    loop.start();
    loop.accept(slow(1));
    loop.accept({ ...quick(2), stream: { id: 's2', accepted: { stream: 2 } } } as QueuedCommand);
    loop.cancel(2);
    expect(client.told).toEqual([]);
    loop.cancel('s2');
    await endTurn();
    expect([handled, client.told]).toEqual([
      [1],
      [
        { kind: 'reply', id: 2, payload: { stream: 2 } },
        { kind: 'complete', id: 's2' },
      ],
    ]);
  });

  it('that has ended is not answered again', () => {
    loop.start();
    loop.accept(quick(1));
    sinks[0]!.value('done');
    loop.cancel(1);
    expect([cancelled, client.told]).toEqual([[1], [{ kind: 'reply', id: 1, payload: 'done' }]]);
  });

  it('is a message: a waiting subscription with the same id stays', async () => {
    loop.start();
    loop.accept(slow(1));
    loop.accept({ action: 'subscribe', topic: 'desk', id: 2 });
    loop.cancel(2);
    await endTurn();
    await vi.waitFor(() => expect(client.errors).toEqual([['TOPIC_NOT_FOUND', 2]]), 15_000);
  });
});

describe('the loop is idle', () => {
  it('before its start, although commands wait', async () => {
    loop.accept(slow(1));
    await loop.finish();
  });

  it('while no command is waiting or running', async () => {
    loop.start();
    await loop.finish();
    for (const command of [slow(1), slow(2)]) loop.accept(command);
    const ends = idle();
    await endTurn();
    expect(ends).toEqual([]);
    await endTurn();
    expect(ends).toEqual(['idle']);
  });

  it('once it is stopped: nothing is started or answered any more', async () => {
    loop.start();
    for (const command of [slow(1), quick(2)]) loop.accept(command);
    const finished = loop.finish();
    loop.stop('disconnect');
    await finished;
    loop.accept(quick(3));
    expect([handled, cancelled, client.told]).toEqual([[1], [1], []]);
  });
});
