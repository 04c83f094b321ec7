import type { Server } from 'node:http';
import type { RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { upgradeRequest } from '../../helpers/raw-client.js';
import { commandFrame, OPCODE, serverFrames } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

const token = testToken('eve');
const TARGET = `/ws?token=${token}`;
const RIGHT = upgradeRequest(TARGET);

/** The same request with more lines of headers behind the others. */
const withLines = (lines: readonly string[]) => RIGHT.replace(/\r\n\r\n$/, `\r\n${lines.join('\r\n')}\r\n\r\n`);
const list = (count: number, entry: (n: number) => string) => Array.from({ length: count }, (_, n) => entry(n));
const offers = (value: string) => upgradeRequest(TARGET, { 'Sec-WebSocket-Protocol': value });

/** The status that a request is answered with. */
async function statusOf(scene: Scene, request: string): Promise<number> {
  const client = await scene.visitor();
  await client.write(request);
  await client.heard('\r\n');
  return Number(client.received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
}

const CASES: [what: string, request: string, status: number][] = [
  ['2,000 headers', withLines(list(2_000, () => 'a:')), 101],
  ['900 headers before those that matter', RIGHT.replace('\r\n', `\r\n${list(900, () => 'a:').join('\r\n')}\r\n`), 101],
  [
    '2,000 headers before those that matter',
    RIGHT.replace('\r\n', `\r\n${list(2_000, () => 'a:').join('\r\n')}\r\n`),
    400,
  ],
  ['more than 16 KiB of headers', withLines(list(2_000, (n) => `x-${n}: 123456`)), 431],
  ['a header of 16 KiB', withLines([`x: ${'x'.repeat(16_384)}`]), 431],
  ['a target of 16 KiB', upgradeRequest(`/ws?token=${'x'.repeat(16_384)}`), 431],
  ['a header that is none', withLines(['no colon here']), 400],
  ['a header with a zero byte', withLines(['x: \0']), 400],
  ['a folded header', withLines(['x: a', ' b']), 400],
  ['an unknown version of HTTP', RIGHT.replace('HTTP/1.1', 'HTTP/9.9'), 400],
  ['a lone line feed in the request', RIGHT.replace('\r\n', '\n'), 400],
  ['a body of two lengths', withLines(['Content-Length: 5', 'Content-Length: 6']), 400],
  ['a length and chunks', withLines(['Content-Length: 5', 'Transfer-Encoding: chunked']), 400],
  ['2,000 sub-protocols', offers(list(2_000, (n) => `p${n}`).join(',')), 101],
  ['3,000 sub-protocols of the same name', offers(list(3_000, () => 'p').join(', ')), 400],
  ['a sub-protocol of 15,000 characters', offers('p'.repeat(15_000)), 101],
  ['a sub-protocol of white space', offers(`a${' '.repeat(15_000)}b`), 400],
  ['15,000 commas as sub-protocols', offers(','.repeat(15_000)), 400],
  ['two keys', withLines(['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']), 400],
  ['no Host, from a program', upgradeRequest(TARGET, { Host: undefined }), 101],
  ['no Host, from a page', upgradeRequest(TARGET, { Host: undefined, Origin: 'http://a' }), 403],
  ['two Hosts', withLines(['Host: other']), 101],
  ['a Host that is none, from a page', upgradeRequest(TARGET, { Host: '%%%', Origin: 'http://%%%' }), 403],
  ['a Host of another port, from a page', upgradeRequest(TARGET, { Host: 'a:81', Origin: 'http://a:82' }), 403],
  ['a Host with a user, from a page', upgradeRequest(TARGET, { Host: 'x@a', Origin: 'http://a' }), 403],
  ['an Origin of 15,000 characters', upgradeRequest(TARGET, { Origin: `http://${'a.'.repeat(7_500)}` }), 403],
  ['an encoded path', upgradeRequest(TARGET.replace('/ws', '/%77s')), 404],
  ['a path with dots', upgradeRequest(TARGET.replace('/ws', '/x/../ws')), 404],
  ['a path with a slash at its end', upgradeRequest(TARGET.replace('/ws', '/ws/')), 404],
  ['a path with two slashes', upgradeRequest(TARGET.replace('/ws', '//ws')), 404],
  ['a path in capitals', upgradeRequest(TARGET.replace('/ws', '/WS')), 404],
  ['a path with a parameter', upgradeRequest(TARGET.replace('/ws', '/ws;x=1')), 404],
  ['a path with a backslash', upgradeRequest(TARGET.replace('/ws', '\\ws')), 400],
  ['an encoded question mark', upgradeRequest(TARGET.replace('?', '%3f')), 404],
  ['2,000 query parameters', upgradeRequest(`/ws?${'a=1&'.repeat(2_000)}token=${token}`), 101],
  ['two tokens', upgradeRequest(`${TARGET}&token=none`), 101],
  ['addresses of a proxy that nobody trusts', upgradeRequest(TARGET, { 'X-Forwarded-For': '1,'.repeat(7_000) }), 101],
];

describe('a handshake with', () => {
  it.each(CASES)('%s is answered, and does nothing else', async (_what, request, status) => {
    const scene = await Scene.set();
    const answered = await scene.during(() => statusOf(scene, request));
    expect([answered, await scene.harm()]).toEqual([status, NO_HARM]);
  });
});

describe('what comes in one piece with a handshake', () => {
  it('is no second request when the first was refused', async () => {
    const scene = await Scene.set();
    const client = await scene.visitor();
    await client.write(upgradeRequest('/ws') + RIGHT);
    const answers = await client.closed();
    expect([answers.match(/HTTP\/1\.1 \d+/g), await scene.harm()]).toEqual([['HTTP/1.1 401'], NO_HARM]);
  });

  it('is no second request when the first was accepted', async () => {
    const scene = await Scene.set();
    const client = await scene.visitor();
    await client.write(RIGHT + RIGHT);
    await client.until((received) => serverFrames(received).find(({ opcode }) => opcode === OPCODE.close), 'A close');
    expect([client.received.match(/HTTP\/1\.1 \d+/g), await scene.harm()]).toEqual([['HTTP/1.1 101'], NO_HARM]);
  });

  it('may stand behind another request on the same socket', async () => {
    const scene = await Scene.set();
    const client = await scene.visitor();
    await client.write(`GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n${RIGHT}`);
    await client.heard('realtime:welcome');
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 101']);
  });

  it('may be the first frames, all of 60 KB', async () => {
    const scene = await Scene.set();
    const client = await scene.visitor();
    const command = commandFrame({ action: 'ping', id: 1, filling: 'x'.repeat(60_000) });
    await client.write(Buffer.concat([Buffer.from(RIGHT), command]));
    expect(await client.heard('"id":1')).toContain('realtime:pong');
  });
});

/** Starts many requests that are never finished. */
async function startRequests(scene: Scene, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const client = await scene.visitor();
    await client.write(`${RIGHT.slice(0, -2)}X-Slow: `);
  }
}

describe('300 handshakes that never come to an end', () => {
  it('take no place from those who wait to be authenticated', async () => {
    const limits = { maxUnauthenticated: 10, maxUnauthenticatedPerIp: 10 };
    const scene = await Scene.set({ options: { limits } });
    await scene.during(() => startRequests(scene, 300));
    expect([await statusOf(scene, RIGHT), await scene.harm()]).toEqual([101, NO_HARM]);
  });

  it('twin: do take places once they have come to an end', async () => {
    const limits = { maxUnauthenticated: 10, maxUnauthenticatedPerIp: 20 };
    const options: RealtimeOptions = { limits, token: { firstCommand: true } };
    const scene = await Scene.set({ options });
    for (let n = 0; n < 10; n++) await scene.raw({ token: false });
    expect(await statusOf(scene, RIGHT.replace(/\?token=\S*/, ''))).toBe(503);
  });
});

describe('a handshake that comes byte by byte', () => {
  /** Times of the HTTP server are the application's to set. */
  const impatient = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
  const configure = (app: { getHttpServer(): Server }) => void Object.assign(app.getHttpServer(), impatient);

  it('is answered with 408 when the headers take longer than the server waits', async () => {
    const scene = await Scene.set({ configure });
    const client = await scene.visitor();
    await client.write(RIGHT.slice(0, 30));
    expect([(await client.closed()).slice(0, 12), await scene.harm()]).toEqual(['HTTP/1.1 408', NO_HARM]);
  });

  it('twin: may take longer than that when the server waits longer', async () => {
    const scene = await Scene.set();
    const client = await scene.visitor();
    await client.write(RIGHT.slice(0, 30));
    // For as long as it takes until a server that does not wait has had enough.
    const other = await Scene.set({ configure });
    const impatientClient = await other.visitor();
    await impatientClient.write(RIGHT.slice(0, 30));
    await impatientClient.closed();
    await client.write(RIGHT.slice(30));
    expect(await client.heard('realtime:welcome')).toContain('HTTP/1.1 101');
  });
});
