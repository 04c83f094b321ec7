import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import type { MessageCommand } from '../../core/protocol/command.js';
import type { ReplySink } from '../../handlers/reply-sink.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { RunningMessages } from './running-messages.js';

let client: FakeClient;
let sinks: ReplySink[];
let cancelled: number[];
let isStreaming: boolean;
let answersAtOnce: boolean;
let running: RunningMessages;

beforeEach(() => {
  client = new FakeClient();
  sinks = [];
  cancelled = [];
  isStreaming = false;
  answersAtOnce = false;
  running = new RunningMessages(client, {
    settings: new RealtimeSettings({ limits: { mailboxSize: 2 } }),
    pubSub: { isSubscribed: () => true },
    dispatcher: {
      message: (_connection, _command, _isSubscribed, sink) => {
        const at = sinks.push(sink) - 1;
        if (answersAtOnce) sink.value('at once');
        return { isStreaming, released: undefined, cancel: () => void cancelled.push(at) };
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
    running.stop();
    expect([cancelled, client.told]).toEqual([[0, 1], []]);
  });

  it('ends with the subscription when it is a stream of the topic', () => {
    isStreaming = true;
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
