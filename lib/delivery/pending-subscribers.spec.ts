import { describe, expect, it } from 'vitest';
import { connection, topic, user, type Address } from '../core/routing/address.js';
import type { Envelope } from '../core/routing/envelope.js';
import { PendingSubscribers } from './pending-subscribers.js';

const to = (...addresses: Address[]): Envelope => ({
  to: addresses,
  except: [user('bob')],
  content: { kind: 'message', text: '{}' },
});

function held(): PendingSubscribers {
  const pending = new PendingSubscribers();
  pending.hold('a', '1');
  pending.hold('a', '2');
  return pending;
}

describe('What is published to a topic', () => {
  it('passes over those who have not been told yet that they are in it', () => {
    expect(held().passOver(to(topic('a')))).toEqual({
      ...to(topic('a')),
      except: [user('bob'), connection('1'), connection('2')],
    });
  });

  it('passes over nobody any more who was told', () => {
    const pending = held();
    pending.release('a', '1');
    expect(pending.passOver(to(topic('a'))).except).toEqual([user('bob'), connection('2')]);
    pending.release('a', '2');
    const envelope = to(topic('a'));
    expect(pending.passOver(envelope)).toBe(envelope);
  });

  it.each([
    ['to another topic', to(topic('b'))],
    ['to a user', to(user('ann'))],
    ['to the topic among others, as no publication', to(topic('a'), user('ann'))],
  ])('goes out as it is %s', (_where, envelope) => {
    expect(held().passOver(envelope)).toBe(envelope);
  });
});
