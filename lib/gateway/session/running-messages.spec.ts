import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import type { MessageCommand } from '../../core/protocol/command.js';
import type { ReplySink } from '../../handlers/reply-sink.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { RunningMessages } from './running-messages.js';

let client: FakeClient;
let sinks: ReplySink[];
let cancelled: number[];
let endsWithTopic: boolean;
let answersAtOnce: boolean;
/** Ends the producers of cancelled runs; without it they end at once. */
let leave: Promise<void> | undefined;
let isTurnOver: boolean;
let turns: { takeTurn(): void }[];
let running: RunningMessages;

beforeEach(() => {
  client = new FakeClient();
  sinks = [];
  cancelled = [];
  endsWithTopic = false;
  answersAtOnce = false;
  leave = undefined;
  isTurnOver = false;
  turns = [];
  running = new RunningMessages(client, {
    settings: new RealtimeSettings({ limits: { mailboxSize: 2 } }),
    turns: { isOver: () => isTurnOver, add: (work) => void turns.push(work) },
    pubSub: { isSubscribed: () => true },
    dispatcher: {
      message: (_connection, _command, _isSubscribed, sink) => {
        const at = sinks.push(sink) - 1;
        if (answersAtOnce) sink.value('at once');
        const cancel = () => {
          cancelled.push(at);
          return leave;
        };
        return { endsWithTopic, released: undefined, cancel };
      },
    },
  });
});

const message = (id?: number, topic = 'desk'): MessageCommand => ({
  action: 'message',
  topic,
  type: 'ask',
  ...(id !== undefined && { id }),
});

describe('a message that is running', () => {
  it('is forgotten with its last answer', () => {
    void running.handle(message(1));
    sinks[0]!.value('yes');
    expect([running.cancel(1), client.told]).toEqual([false, [{ kind: 'reply', id: 1, payload: 'yes' }]]);
  });

  it('that is answered at once is never remembered', () => {
    answersAtOnce = true;
    void running.handle(message(1));
    expect(running.cancel(1)).toBe(false);
  });

  it('keeps its id to itself', () => {
    void running.handle(message(1));
    void running.handle(message(1));
    expect([sinks.length, client.errors]).toEqual([1, [['INVALID_MESSAGE', undefined]]]);
  });

  it('counts towards the limit, with an id or without', () => {
    for (const id of [undefined, 1, 2]) void running.handle(message(id));
    expect([sinks.length, client.errors]).toEqual([2, [['LIMIT_EXCEEDED', 2]]]);
  });

  it('may be cancelled, once', () => {
    void running.handle(message(1));
    expect([running.cancel(1), running.cancel(1), cancelled]).toEqual([true, false, [0]]);
  });

  it('ends with all others when the client has gone', () => {
    for (const id of [1, undefined]) void running.handle(message(id));
    running.stop('disconnect');
    expect([cancelled, client.told]).toEqual([[0, 1], []]);
  });

  it('ends with the subscription when it is a stream of the topic', () => {
    endsWithTopic = true;
    void running.handle(message(1, 'desk'));
    void running.handle(message(2, 'elsewhere'));
    running.endStreams('desk');
    expect([cancelled, client.told]).toEqual([[0], [{ kind: 'complete', id: 1 }]]);
  });

  it('goes on without the subscription when it is no stream', () => {
    void running.handle(message(1));
    running.endStreams('desk');
    expect(cancelled).toEqual([]);
  });
});

describe('a cancelled stream whose producer has yet to end', () => {
  it('counts towards the limit, and its id is free', async () => {
    let end!: () => void;
    leave = new Promise((resolve) => (end = resolve));
    for (const id of [1, 2]) void running.handle(message(id));
    running.cancel(1);
    void running.handle(message(1));
    expect([sinks.length, client.errors]).toEqual([2, [['LIMIT_EXCEEDED', 1]]]);
    end();
    await leave;
    void running.handle(message(1));
    expect(sinks).toHaveLength(3);
  });
});

describe('the next item of a stream', () => {
  it('may be asked for while the client reads and the turn has time', () => {
    expect(running.room()).toBeUndefined();
  });

  it('waits until the client has read', () => {
    const drained = Promise.resolve();
    client.drained = () => drained;
    expect(running.room()).toBe(drained);
  });

  it('waits for a later turn when this one is over', async () => {
    isTurnOver = true;
    const room = running.room();
    turns[0]!.takeTurn();
    await expect(room).resolves.toBeUndefined();
  });
});

describe('messages that are larger than what may be held', () => {
  const large = (id: number) => ({ ...message(id), payload: 'x'.repeat(200_000) });

  it('run one at a time', () => {
    void running.handle(large(1));
    void running.handle(large(2));
    expect([sinks.length, client.errors]).toEqual([1, [['LIMIT_EXCEEDED', 2]]]);
    sinks[0]!.complete();
    void running.handle(large(3));
    expect(sinks.length).toBe(2);
  });

  it('leave room for small ones', () => {
    void running.handle(large(1));
    void running.handle(message(2));
    expect([sinks.length, client.errors]).toEqual([2, []]);
  });

  it('count until their producers have ended, also when they are cancelled', async () => {
    let end: () => void = () => undefined;
    leave = new Promise((resolve) => (end = resolve));
    void running.handle(large(1));
    running.cancel(1);
    void running.handle(large(2));
    expect(client.errors).toEqual([['LIMIT_EXCEEDED', 2]]);
    end();
    await leave;
    void running.handle(large(3));
    expect(sinks.length).toBe(2);
  });
});
