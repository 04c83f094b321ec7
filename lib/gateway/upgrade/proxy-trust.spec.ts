import fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ProxyTrust } from './proxy-trust.js';

interface Asked {
  peer?: string;
  forwardedFor?: string;
  forwardedHost?: string;
  forwardedProto?: string;
  encrypted?: true;
}

function clientAddress(trust: number | string[], { peer = '10.0.0.1', ...asked }: Asked) {
  const { forwardedFor, forwardedHost, forwardedProto, encrypted } = asked;
  const headers = {
    host: 'inner',
    'x-forwarded-for': forwardedFor,
    'x-forwarded-host': forwardedHost,
    'x-forwarded-proto': forwardedProto,
  };
  return new ProxyTrust(trust).clientAddressOf({
    headers,
    socket: { remoteAddress: peer, encrypted },
  } as unknown as IncomingMessage);
}

describe('the address of a client', () => {
  it.each<[what: string, trust: number | string[], asked: Asked, address: string]>([
    ['the peer, when nobody is trusted', 0, { forwardedFor: '1.1.1.1' }, '10.0.0.1'],
    ['the peer, when it is not among the trusted', ['10.0.0.2'], { forwardedFor: '1.1.1.1' }, '10.0.0.1'],
    ['the peer, when no proxy says otherwise', 1, {}, '10.0.0.1'],
    ['what one proxy says', 1, { forwardedFor: '1.1.1.1' }, '1.1.1.1'],
    ['what one trusted address says', ['10.0.0.1'], { forwardedFor: '1.1.1.1' }, '1.1.1.1'],
    ['what an address of a trusted range says', ['10.0.0.0/8'], { forwardedFor: '1.1.1.1' }, '1.1.1.1'],
    ['the nearest word, not what a client made up', 1, { forwardedFor: '6.6.6.6, 1.1.1.1' }, '1.1.1.1'],
    ['what the second of two proxies says', 2, { forwardedFor: '6.6.6.6, 1.1.1.1, 10.0.0.2' }, '1.1.1.1'],
    ['the first that is not trusted', ['10.0.0.0/8'], { forwardedFor: '6.6.6.6, 1.1.1.1, 10.9.9.9' }, '1.1.1.1'],
    ['the last, when all are trusted', ['10.0.0.0/8'], { forwardedFor: '10.0.0.3, 10.0.0.2' }, '10.0.0.3'],
    ['the last, when there are fewer than hops', 9, { forwardedFor: '1.1.1.1' }, '1.1.1.1'],
    ['the last before what is no address', 9, { forwardedFor: '1.1.1.1, unknown, 2.2.2.2' }, '2.2.2.2'],
    ['the peer, when the nearest word is no address', 9, { forwardedFor: '1.1.1.1, _hidden' }, '10.0.0.1'],
    ['without the port that a proxy writes behind it', 1, { forwardedFor: '1.1.1.1:4711' }, '1.1.1.1'],
    ['IPv6 without brackets', 1, { forwardedFor: '[2001:db8::1]' }, '2001:db8::1'],
    ['IPv6 without brackets and port', 1, { forwardedFor: '[2001:db8::1]:4711' }, '2001:db8::1'],
    ['IPv6 without a port', 1, { forwardedFor: '2001:db8::1' }, '2001:db8::1'],
    ['without quotes', 1, { forwardedFor: '"[2001:db8::1]:4711"' }, '2001:db8::1'],
    ['without a zone', 1, { forwardedFor: 'fe80::1%eth0' }, 'fe80::1'],
    ['IPv4 that a proxy writes as IPv6', 1, { forwardedFor: '[::ffff:1.1.1.1]:80' }, '1.1.1.1'],
    ['behind a trusted address with a port', ['10.0.0.0/8'], { forwardedFor: '1.1.1.1:9, 10.0.0.2:9' }, '1.1.1.1'],
    ['the last before brackets that hold no address', 9, { forwardedFor: '[x]:1, 2.2.2.2' }, '2.2.2.2'],
    ['IPv4, when it came in over IPv6', 0, { peer: '::ffff:10.0.0.1' }, '10.0.0.1'],
    [
      'found behind a trusted IPv4 that came in over IPv6',
      ['10.0.0.1'],
      { peer: '::ffff:10.0.0.1', forwardedFor: '1.1.1.1' },
      '1.1.1.1',
    ],
    ['IPv6', 1, { forwardedFor: '2001:db8::1' }, '2001:db8::1'],
    [
      'found behind a trusted IPv6 range',
      ['fd00::/8'],
      { peer: 'fd00::1', forwardedFor: '2001:db8::1' },
      '2001:db8::1',
    ],
    ['empty, when the socket is gone', 0, { peer: '' }, ''],
  ])('is %s', (_what, trust, asked, address) => {
    expect(clientAddress(trust, asked).address).toBe(address);
  });

  it('cannot be chosen by a client if no proxy is trusted', () => {
    fc.assert(
      fc.property(fc.string(), (forwardedFor) => {
        expect(clientAddress(['192.0.2.1'], { forwardedFor }).address).toBe('10.0.0.1');
      }),
    );
  });

  it('behind one proxy is the entry of that proxy, whatever a client writes before it', () => {
    fc.assert(
      fc.property(fc.string(), (made) => {
        expect(clientAddress(1, { forwardedFor: `${made}, 1.1.1.1` }).address).toBe('1.1.1.1');
      }),
    );
  });
});

describe('the requested host', () => {
  it.each<[what: string, trust: number | string[], asked: Asked, host: string]>([
    ['that of the request, when nobody is trusted', 0, { forwardedHost: 'outer' }, 'inner'],
    ['that of the request, when the peer is not trusted', ['10.0.0.2'], { forwardedHost: 'outer' }, 'inner'],
    ['what a proxy says', 1, { forwardedHost: 'outer' }, 'outer'],
    ['what a trusted address says', ['10.0.0.1'], { forwardedHost: 'outer' }, 'outer'],
    ['the first of several', 1, { forwardedHost: 'outer, middle' }, 'outer'],
    ['that of the request, when the proxy says nothing', 1, { forwardedHost: ' ' }, 'inner'],
  ])('is %s', (_what, trust, asked, host) => {
    expect(clientAddress(trust, asked).host).toBe(host);
  });
});

describe('whether the client speaks TLS', () => {
  it.each<[what: string, trust: number | string[], asked: Asked, isSecure: boolean]>([
    ['known, where TLS ends here', 0, { encrypted: true }, true],
    ['known, when a trusted proxy says so', 1, { forwardedProto: 'https' }, true],
    ['known, when a trusted proxy says so for a WebSocket', 1, { forwardedProto: 'WSS' }, true],
    ['known, when the first of several proxies says so', 2, { forwardedProto: 'https, http' }, true],
    ['not known, when nobody is trusted', 0, { forwardedProto: 'https' }, false],
    ['not known, when the peer is not trusted', ['10.0.0.2'], { forwardedProto: 'https' }, false],
    ['not known, when a trusted proxy says otherwise', 1, { forwardedProto: 'http' }, false],
    ['not known, when nobody says anything', 1, {}, false],
  ])('is %s', (_what, trust, asked, isSecure) => {
    expect(clientAddress(trust, asked).isSecure).toBe(isSecure);
  });
});
