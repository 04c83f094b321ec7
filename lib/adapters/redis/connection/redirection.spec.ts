import { describe, expect, it } from 'vitest';
import { addressIn, redirectionIn, redirectionOf } from './redirection.js';
import { unavailable } from './redis-connection.js';

describe('redirectionOf', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', address: '127.0.0.1:6381' }],
    ['ASK 3999 redis-2.internal:6381', { kind: 'ask', address: 'redis-2.internal:6381' }],
    ['ASK 3999 2001:db8::1:6381', { kind: 'ask', address: '2001:db8::1:6381' }],
    ['MOVED 3999 :6381', { kind: 'moved', address: ':6381' }],
    ['TRYAGAIN Multiple keys request during rehashing of slot', { kind: 'again' }],
  ])('knows %s', (text, redirection) => {
    expect(redirectionOf(text)).toEqual(redirection);
  });

  it.each(['MOVED', 'MOVED 3999', 'ASKING', 'ERR MOVED 3999 a:1', 'CLUSTERDOWN Hash slot not served', ''])(
    'takes %j for another error',
    (text) => {
      expect(redirectionOf(text)).toBeUndefined();
    },
  );
});

describe('redirectionIn', () => {
  it('looks at what Redis has said', () => {
    expect(redirectionIn(unavailable(new Error('ASK 1 a:1')))).toEqual({ kind: 'ask', address: 'a:1' });
    expect(redirectionIn(unavailable())).toBeUndefined();
    expect(redirectionIn(new Error('ASK 1 a:1'))).toBeUndefined();
  });
});

describe('the address of a redirection', () => {
  it.each([
    ['10.0.0.2:6381', '10.0.0.1:6379', '10.0.0.2:6381'],
    [':6381', '10.0.0.1:6379', '10.0.0.1:6381'],
    [':6381', '2001:db8::1:6379', '2001:db8::1:6381'],
    ['2001:db8::2:6381', '10.0.0.1:6379', '2001:db8::2:6381'],
  ])('%s from %s is %s', (address, from, expected) => {
    expect(addressIn({ address }, from)).toBe(expected);
  });
});
