import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOrigin, isOriginAllowed, type OriginRule } from './origin.js';
import { arbitraryText } from '../../../test/helpers/arbitrary-text.js';

const sameOrigin = (origin: string | undefined, host: string | undefined) =>
  isOriginAllowed({ origin, host, allowed: [] });
const listed = (origin: string, ...allowed: string[]) => isOriginAllowed({ origin, host: 'api.example.com', allowed });

describe('isOriginAllowed', () => {
  it('lets programs through, which send no origin', () => {
    expect(sameOrigin(undefined, 'example.com')).toBe(true);
  });

  it.each([
    ['https://example.com', 'example.com'],
    ['http://example.com', 'example.com'],
    ['https://example.com', 'example.com:443'],
    ['https://example.com:443', 'example.com'],
    ['http://example.com:80', 'example.com'],
    ['http://localhost:3000', 'localhost:3000'],
    ['https://EXAMPLE.com', 'example.COM'],
    ['http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['http://[::1]:3000', '[::1]:3000'],
  ])('lets %s connect to %s, which is the same', (origin, host) => {
    expect(sameOrigin(origin, host)).toBe(true);
  });

  it.each([
    ['https://example.com.evil.net', 'example.com'],
    ['https://evil-example.com', 'example.com'],
    ['https://evil.net', 'example.com'],
    ['https://sub.example.com', 'example.com'],
    ['https://example.com', 'sub.example.com'],
    ['https://example.com.', 'example.com'],
    ['https://example.com:8443', 'example.com'],
    ['https://example.com', 'example.com:80'],
    ['http://example.com', 'example.com:443'],
    ['http://localhost:3000', 'localhost:3001'],
    ['https://example.com@evil.net', 'example.com'],
    ['https://evil.net#example.com', 'example.com'],
    ['https://evil.net?example.com', 'example.com'],
    ['https://evil.net\\example.com', 'example.com'],
  ])('keeps %s from connecting to %s, which only looks alike', (origin, host) => {
    expect(sameOrigin(origin, host)).toBe(false);
  });

  it.each([
    ['null'],
    [''],
    ['*'],
    ['example.com'],
    ['//example.com'],
    ['https:example.com'],
    ['https://'],
    ['https://example.com/'],
    ['https://user@example.com'],
    ['https://user:pw@example.com'],
    ['https://ex%61mple.com'],
    ['https://example.com https://example.com'],
    [' https://example.com'],
    ['https://example.com:99999'],
    ['file://example.com/'],
    ['blob:https://example.com/1'],
    ['capacitor://example.com'],
    ['chrome-extension://example.com'],
    ['ftp://example.com'],
  ])('keeps the origin %j away from example.com', (origin) => {
    expect(sameOrigin(origin, 'example.com')).toBe(false);
  });

  it.each([[undefined], [''], ['example.com/x'], ['evil.net@example.com'], ['example.com?'], ['https://example.com']])(
    'takes nothing for the same when the host is %j',
    (host) => {
      expect(sameOrigin('https://example.com', host)).toBe(false);
    },
  );

  it.each([
    ['https://app.example.com', 'https://app.example.com'],
    ['https://app.example.com', 'HTTPS://App.Example.com'],
    ['https://app.example.com', 'https://app.example.com:443'],
    ['https://app.example.com:8443', 'https://app.example.com:8443'],
    ['https://xn--bcher-kva.example', 'https://bücher.example'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdefgh', 'chrome-extension://abcdefgh'],
  ])('lets %s connect when %s is on the list', (origin, entry) => {
    expect(listed(origin, 'https://other.example', entry)).toBe(true);
  });

  it.each([
    ['http://app.example.com', 'https://app.example.com'],
    ['https://app.example.com:8443', 'https://app.example.com'],
    ['https://app.example.com.evil.net', 'https://app.example.com'],
    ['https://evil.net', 'https://*.net'],
    ['null', 'null'],
    ['chrome-extension://other', 'chrome-extension://abcdefgh'],
  ])('keeps %s away when %s is on the list', (origin, entry) => {
    expect(listed(origin, entry)).toBe(false);
  });

  it('lets everybody connect with `*`, a sandboxed frame too', () => {
    expect(isOriginAllowed({ origin: 'null', host: undefined, allowed: '*' })).toBe(true);
  });

  describe('where the client speaks TLS', () => {
    const toSecure = (origin: string, ...allowed: string[]) =>
      isOriginAllowed({ origin, host: 'example.com', isSecure: true, allowed });

    it.each([
      ['https://example.com', true],
      ['HTTPS://example.com:443', true],
      ['http://example.com', false],
      ['http://example.com:443', false],
      ['http://example.com:80', false],
    ])('%s is of the same origin: %s', (origin, isSame) => {
      expect(toSecure(origin)).toBe(isSame);
    });

    it('lets an http: page connect that is on the list', () => {
      expect(toSecure('http://example.com', 'http://example.com')).toBe(true);
    });
  });

  it('takes no host for the name of one', () => {
    expect(isOriginAllowed({ origin: 'https://undefined', host: undefined, allowed: [] })).toBe(false);
  });

  it('never throws for any headers', () => {
    const url = fc
      .tuple(fc.constantFrom('http', 'https', 'ws', 'file'), fc.string(), fc.nat({ max: 70_000 }), fc.string())
      .map(([scheme, host, port, rest]) => `${scheme}://${host}:${port}/${rest}`);
    const text = () => fc.oneof(fc.string(), url, arbitraryText);
    fc.assert(
      fc.property(text(), text(), fc.array(text()), (origin, host, allowed) => {
        isOriginAllowed({ origin, host, allowed } satisfies OriginRule);
      }),
    );
  });

  it('lets nobody connect whose address merely holds the right name', () => {
    const around = () =>
      fc.string({ unit: fc.constantFrom('a', '.', '-', ':', '@', '/', '#', '?', '\\', '%', '4'), maxLength: 4 });
    fc.assert(
      fc.property(around(), around(), (before, after) => {
        const origin = `https://${before}victim.test${after}`;
        fc.pre(sameOrigin(origin, 'victim.test'));
        expect(new URL(origin).origin).toBe('https://victim.test');
      }),
    );
  });
});

describe('isOrigin', () => {
  it.each([
    ['https://app.example.com'],
    ['http://localhost:3000'],
    ['https://x:443'],
    ['HTTPS://X'],
    ['capacitor://localhost'],
  ])('takes %s', (value) => {
    expect(isOrigin(value)).toBe(true);
  });

  it.each([
    ['*'],
    ['null'],
    ['app.example.com'],
    ['https://app.example.com/'],
    ['https://app.example.com/path'],
    ['https://*.example.com'],
    ['https://user@example.com'],
    [''],
    [undefined],
    [/example/],
    [['https://app.example.com']],
  ])('refuses %j', (value) => {
    expect(isOrigin(value)).toBe(false);
  });
});
