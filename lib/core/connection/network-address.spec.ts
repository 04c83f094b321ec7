import fc from 'fast-check';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { networkOf, unmapped } from './network-address.js';

describe('an address that clients are counted by', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0000:0001:0002:0003:0004', '2001:db8:0:0::/64'],
    ['2001:DB8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8:a:b:c:d:192.0.2.1', '2001:db8:a:b::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each([
    '',
    'unknown',
    '1:2',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '::ffff:192.0.2.256',
    'g::1',
    '1.2.3',
    ':1:2:3:4:5:6:7',
  ])('%j is no address, and counts as itself', (text) => {
    expect(networkOf(text)).toBe(text);
  });

  it('is the same for all addresses of 64 bits, and another for any other', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), (a, b) => {
        fc.pre(isIPv6(a) && isIPv6(b) && !isIPv4(unmapped(a)) && !isIPv4(unmapped(b)));
        const bits = (address: string) => new URL(`http://[${address}]/`).hostname;
        const first = (address: string) => networkOf(bits(address).slice(1, -1));
        expect(networkOf(a) === networkOf(b)).toBe(first(a) === first(b));
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void networkOf(text)));
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(':', '.', '1', 'f', '%') }), (text) => void networkOf(text)),
    );
  });
});

it('an address of IPv6 stays what it is', () => {
  expect(unmapped('2001:db8::1')).toBe('2001:db8::1');
});
