import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { streamRpc } from './stream-rpc.js';

/** A client whose server says something before the SDK hands over the answer to a call. */
class FakeClient extends EventEmitter {
  readonly calls: unknown[] = [];
  answer: unknown = { stream: 7 };
  /** Called when the call has been made. */
  asked: () => void = () => undefined;

  async rpc(method: string, data: unknown): Promise<{ data: unknown }> {
    this.calls.push([method, data]);
    if (method !== 'realtime:cancel') this.asked();
    return { data: this.answer };
  }

  say(type: string, id: number, payload?: unknown): void {
    this.emit('message', { data: { type: `realtime:${type}`, id, payload } });
  }
}

let client: FakeClient;

beforeEach(() => {
  client = new FakeClient();
});

async function taken(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const ask = () => streamRpc(client, 'ask', { topic: 't', payload: 1 });

describe('a call for a stream', () => {
  it('has the wish for one in its data', () => {
    void ask();
    expect(client.calls).toEqual([['ask', { topic: 't', payload: 1, stream: true }]]);
  });

  it('misses nothing of what comes before its answer, and takes nothing of other streams', async () => {
    client.asked = () => {
      client.say('reply', 6, 'other');
      client.say('reply', 7, 'a');
      client.say('complete', 6);
    };
    const items = ask();
    await Promise.resolve();
    await Promise.resolve();
    client.say('reply', 7, 'b');
    client.say('complete', 7);
    expect(await taken(items)).toEqual(['a', 'b']);
  });

  it.each([[undefined], [null], [{}], ['text']])('fails when the server does not know streams: %j', async (answer) => {
    client.answer = answer;
    await expect(taken(ask())).rejects.toMatchObject({ code: 'NO_STREAM' });
  });

  it.each([
    [
      { code: 503, message: 'Away.', temporary: true },
      { code: 503, message: 'Away.', retryable: true },
    ],
    [{}, { code: 'INTERNAL', retryable: false }],
    [undefined, { code: 'INTERNAL' }],
    [new TypeError('broken'), { name: 'TypeError', message: 'broken' }],
  ])('fails with what the SDK says: %j', async (said, error) => {
    client.asked = () => {
      throw said;
    };
    await expect(taken(ask())).rejects.toMatchObject(error);
  });

  it('is cancelled once, when it was left before its answer', async () => {
    const items = ask();
    await items.return!();
    await items.return!();
    await Promise.resolve();
    expect([client.calls.slice(1), client.eventNames()]).toEqual([[['realtime:cancel', { id: 7 }]], []]);
  });

  it('is not cancelled when it has ended', async () => {
    const items = ask();
    await Promise.resolve();
    await Promise.resolve();
    client.say('complete', 7);
    await taken(items);
    await items.return!();
    expect(client.calls).toHaveLength(1);
  });

  it.each(['connecting', 'disconnected'])('fails when the client is %s', async (event) => {
    const items = ask();
    await Promise.resolve();
    await Promise.resolve();
    client.emit(event, {});
    await expect(taken(items)).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true });
  });
});
