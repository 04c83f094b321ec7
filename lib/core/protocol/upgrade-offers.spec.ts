import { describe, expect, it } from 'vitest';
import {
  acceptableExtensions,
  loggedPathOf,
  pathOfTarget,
  prefixedPath,
  selectCodec,
  selectSubprotocol,
} from './upgrade-offers.js';

describe('the extensions of an upgrade', () => {
  it.each([
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; server_max_window_bits=10', undefined],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 'permessage-deflate'],
    ['x-other, permessage-deflate; server_max_window_bits', 'x-other'],
  ])('of "%s" are %s', (header, acceptable) => {
    expect(acceptableExtensions(header)).toBe(acceptable);
  });
});

describe('the sub-protocol of an upgrade', () => {
  it.each<[offers: string[], ofCodec: string | undefined, selected: string | false]>([
    [['realtime', 'bearer.t'], undefined, 'realtime'],
    [['realtime', 'centrifuge-json'], 'centrifuge-json', 'centrifuge-json'],
    [['realtime'], 'centrifuge-json', 'realtime'],
    [['centrifuge-json'], undefined, false],
    [['graphql-ws'], 'centrifuge-json', false],
    [[], undefined, false],
  ])('offered as %j to a codec of %s is %s', (offers, ofCodec, selected) => {
    expect(selectSubprotocol(new Set(offers), ofCodec)).toBe(selected);
  });
});

describe('the codec of an upgrade', () => {
  const json = { name: 'json', subprotocol: 'x-json' };
  const protobuf = { name: 'protobuf', subprotocol: 'x-protobuf', format: 'protobuf' };

  it.each([
    [undefined, '/ws', 'json'],
    ['x-json', '/ws', 'json'],
    ['x-protobuf', '/ws', 'protobuf'],
    ['realtime, bearer.t,x-protobuf', '/ws', 'protobuf'],
    ['x-protobuf, x-json', '/ws', 'protobuf'],
    ['x-json, x-protobuf', '/ws', 'json'],
    ['x-json', '/ws?format=protobuf', 'json'],
    ['realtime', '/ws?format=protobuf', 'protobuf'],
    ['', '/ws?cf_protocol=protobuf', 'protobuf'],
    [undefined, '/ws?format=json&cf_protocol=protobuf', 'protobuf'],
    [undefined, '/ws?format=Protobuf', 'json'],
    [undefined, '/ws?protocol=protobuf', 'json'],
    [undefined, '/ws?cf_protocol_version=v2', 'json'],
  ])('that offers "%s" at %s is %s', (offers, target, name) => {
    expect(selectCodec([json, protobuf], offers, target).name).toBe(name);
  });

  it('is found without decoding the rest of the query', () => {
    const noise = '%80x&'.repeat(2_600);
    expect(selectCodec([json, protobuf], undefined, `/ws?${noise}format=protobuf`)).toBe(protobuf);
    expect(selectCodec([json, protobuf], undefined, `/ws?${noise}xformat=protobuf&format=protobuf2`)).toBe(json);
  });

  it('is the only one of its path, whatever the request says', () => {
    expect(selectCodec([json], 'x-protobuf', '/ws?format=protobuf')).toBe(json);
  });
});

describe('the path of a request target', () => {
  it.each([
    ['/ws', '/ws'],
    ['/ws?token=t', '/ws'],
    ['/?a=/ws', '/'],
    ['http://example.com/ws?token=t', '/ws'],
    ['HTTPS://example.com/ws', '/ws'],
    ['http://example.com', ''],
    ['http://example.com?a=/ws', ''],
    ['//example.com/ws', '//example.com/ws'],
    ['', ''],
  ])('"%s" is "%s"', (target, path) => {
    expect(pathOfTarget(target)).toBe(path);
  });
});

describe('the path in the log', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln-_';

  it.each([
    ['/ws', '/ws'],
    ['/ws?token=hunter2', '/ws'],
    ['/ws%3Ftoken=hunter2', '/ws'],
    ['/ws%3ftoken=hunter2', '/ws'],
    ['/ws#token=hunter2', '/ws'],
    ['/ws;token=hunter2', '/ws'],
    [`/ws/${jwt}/x`, '/ws/<token>/x'],
    [`/${'x'.repeat(190)}${jwt}`, `/${'x'.repeat(190)}<token>`],
    [`/${'x'.repeat(300)}`, `/${'x'.repeat(199)}`],
  ])('of %s is %s', (target, path) => {
    expect(loggedPathOf(target)).toBe(path);
  });
});

describe('a served path', () => {
  it.each([
    ['', '/ws'],
    ['api', '/api/ws'],
    ['/api/', '/api/ws'],
    ['api/v1', '/api/v1/ws'],
  ])('below the global prefix "%s" is %s', (prefix, path) => {
    expect(prefixedPath(prefix, '/ws')).toBe(path);
  });
});
