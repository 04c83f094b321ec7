import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import type { MessageCommand } from '../../core/protocol/command.js';
import { MessageReply } from './message-reply.js';

let client: FakeClient;
let forgotten: number;

beforeEach(() => {
  client = new FakeClient();
  forgotten = 0;
});

function reply(command: Partial<MessageCommand> = {}): MessageReply {
  const message: MessageCommand = { action: 'message', topic: 'desk', type: 'ask', id: 7, ...command };
  return new MessageReply(client.replies, message, { forget: () => void (forgotten += 1), room: () => undefined });
}

describe('the answer to a message whose client takes a stream', () => {
  it('ends after a single value, too', () => {
    const one = reply({ stream: { id: 7 } });
    one.accept();
    one.value('yes');
    expect(client.told).toEqual([
      { kind: 'reply', id: 7, payload: 'yes' },
      { kind: 'complete', id: 7 },
    ]);
  });

  it('comes under the id of the stream, once the command was answered with it', () => {
    const one = reply({ stream: { id: 's', accepted: { stream: 1 } } });
    one.accept();
    one.item(1);
    one.error({ code: 'FORBIDDEN', message: 'No.' });
    expect(one.key).toBe('s');
    expect(client.told).toMatchObject([
      { kind: 'reply', id: 7, payload: { stream: 1 } },
      { kind: 'reply', id: 's', payload: 1 },
      { kind: 'error', id: 's' },
    ]);
  });

  it('answers the command itself when it was refused', () => {
    reply({ stream: { id: 's', accepted: {} } }).error({ code: 'NO_HANDLER', message: 'No.' });
    expect(client.errors).toEqual([['NO_HANDLER', 7]]);
  });

  it('has no end when it could not be written', () => {
    collectLogs();
    reply({ stream: { id: 7 } }).value(1n);
    expect(client.told).toMatchObject([{ kind: 'error', id: 7 }]);
  });
});

describe('the answer to a message', () => {
  it('is one value', () => {
    const one = reply();
    one.value('yes');
    expect([client.told, one.isDone, forgotten]).toEqual([[{ kind: 'reply', id: 7, payload: 'yes' }], true, 1]);
  });

  it('is many values and an end', () => {
    const one = reply();
    one.item(1);
    one.item(2);
    one.complete();
    expect(client.told).toEqual([
      { kind: 'reply', id: 7, payload: 1 },
      { kind: 'reply', id: 7, payload: 2 },
      { kind: 'complete', id: 7 },
    ]);
  });

  it('is the last of many values for a client that takes a single one', () => {
    const one = reply({ single: true });
    one.item(1);
    one.item(2);
    one.complete();
    expect(client.told).toEqual([{ kind: 'reply', id: 7, payload: 2 }]);
  });

  it('is an end for such a client when there is no value', () => {
    reply({ single: true }).complete();
    expect(client.told).toEqual([{ kind: 'complete', id: 7 }]);
  });

  it('is an error', () => {
    reply().error({ code: 'FORBIDDEN', message: 'No.' });
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });

  it('does not exist for a message without an id, but an error does', () => {
    reply({ id: undefined }).value('yes');
    reply({ id: undefined }).complete();
    reply({ id: undefined }).error({ code: 'FORBIDDEN', message: 'No.' });
    expect(client.errors).toEqual([['FORBIDDEN', undefined]]);
    expect(client.told).toHaveLength(1);
  });

  it.each(['value', 'item'] as const)('that cannot be written is an error, and the last: %s', (kind) => {
    const logs = collectLogs();
    const one = reply();
    one[kind](1n);
    expect([client.errors, one.isDone, logs.length]).toEqual([[['INTERNAL', 7]], true, 1]);
  });
});
