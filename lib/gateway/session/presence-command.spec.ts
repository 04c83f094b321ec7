import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import type { WireError } from '../../core/protocol/error-code.js';
import type { Presence } from '../../core/presence/presence.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { answerPresence } from './presence-command.js';

const PRESENCE = { users: [], userCount: 0 } as unknown as Presence;

let client: FakeClient;
let isSubscribed: boolean;
let refusal: WireError | undefined;
let read: () => Promise<Presence>;
let reads: number;

beforeEach(() => {
  client = new FakeClient();
  isSubscribed = true;
  refusal = undefined;
  read = async () => PRESENCE;
  reads = 0;
});

function answer(id: number | undefined = 7): Promise<void> {
  const services: Parameters<typeof answerPresence>[2] = {
    pubSub: { isSubscribed: () => isSubscribed },
    presence: {
      refusalOf: () => refusal,
      read: () => {
        reads += 1;
        return read();
      },
      answering: (presence) => presence,
      fitting: (presence) => presence,
    },
  };
  const isOpen = async () => isSubscribed;
  return answerPresence({ action: 'presence', topic: 'room', ...(id !== 0 && { id }) }, client, services, isOpen);
}

describe('a subscriber who asks who is in a topic', () => {
  it('is told', async () => {
    await answer();
    expect(client.told).toEqual([{ kind: 'presence', id: 7, presence: PRESENCE }]);
  });

  it('is refused when the topic does not tell', async () => {
    refusal = { code: 'NO_HANDLER', message: 'No.' };
    await answer();
    expect(client.errors).toEqual([['NO_HANDLER', 7]]);
  });

  it('is refused when it is none', async () => {
    isSubscribed = false;
    await answer();
    expect([client.errors, reads]).toEqual([[['FORBIDDEN', 7]], 0]);
  });

  it('is refused when the subscription has ended meanwhile', async () => {
    read = async () => {
      isSubscribed = false;
      return PRESENCE;
    };
    await answer();
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });

  it('costs no read when there is no id to answer to', async () => {
    await answer(0);
    expect([client.told, reads]).toEqual([[], 0]);
  });

  it('is told when it cannot be read, and nobody has to look at a log', async () => {
    const logs = collectLogs();
    read = () => Promise.reject(new RealtimeError('UNAVAILABLE', 'Try again.'));
    await answer();
    expect([client.errors, logs]).toEqual([[['UNAVAILABLE', 7]], []]);
  });

  it('is told nothing about a fault of the store, which is logged', async () => {
    const logs = collectLogs();
    read = () => Promise.reject(new TypeError('secret: hunter2'));
    await answer();
    expect([client.errors, JSON.stringify(client.told).includes('hunter2')]).toEqual([[['INTERNAL', 7]], false]);
    expect(logs).toHaveLength(1);
  });

  it('is refused when the right to it was lost while the members were read', async () => {
    read = async () => {
      isSubscribed = false;
      return PRESENCE;
    };
    await answer();
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });
});
