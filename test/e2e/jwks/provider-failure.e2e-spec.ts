import { gzipSync } from 'node:zlib';
import type { RequestListener } from 'node:http';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { RealtimeError } from 'nestjs-realtime';
import type { JwksOptions, JwksVerifier } from 'nestjs-realtime/jwks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdentityProvider, signingKey } from '../../helpers/identity-provider.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const RETRY_MS = 1_000;
const COOLDOWN_MS = 30_000;
const MAX_AGE_MS = 600_000;

const [known, unknown] = [signingKey('known'), signingKey('unknown')];
const unavailable = { code: 'UNAVAILABLE', retryable: true };
const log = { warn: vi.fn(), log: vi.fn() };

beforeEach(() => {
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(log.warn.mockReset());
  vi.spyOn(Logger.prototype, 'log').mockImplementation(log.log.mockReset());
});

afterEach(() => void vi.restoreAllMocks());

/** A provider that answers in this way, and a verifier on a clock of its own that trusts it. */
async function start(answer?: RequestListener, changes: Partial<JwksOptions> = {}) {
  const provider = await IdentityProvider.start([known]);
  const clock = new ManualClock();
  provider.answerWith(answer);
  return { provider, clock, verifier: await provider.verifier(changes, clock) };
}

async function failureOf(verifier: JwksVerifier, token: string): Promise<RealtimeError> {
  const failure = await verifier.verify(token).catch((error: unknown) => error);
  if (failure instanceof RealtimeError) return failure;
  throw new Error(`accepted, or failed in another way: ${inspect(failure)}`);
}

const status =
  (code: number, headers = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(code, headers).end('{"keys":[]}');

const body =
  (text: string | Buffer, headers = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(200, headers).end(text);

const broken: RequestListener = (_request, response) => void response.writeHead(500).end();

/** Never ends by itself; stops when the client is gone. */
const endless: RequestListener = (_request, response) => {
  const chunk = Buffer.alloc(65_536, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};

const dripping: RequestListener = (_request, response) => {
  const timer = setInterval(() => response.write(' '), 5);
  response.on('close', () => clearInterval(timer));
};

const FAILURES: Record<string, [RequestListener, string]> = {
  'breaks the connection off': [(request) => request.socket.destroy(), 'could not be reached ('],
  'talks something else than HTTP': [
    (request) => void request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    'could not be reached (',
  ],
  'answers with 500': [status(500), 'answered with status 500'],
  'answers with 404': [status(404), 'answered with status 404'],
  'answers with 204': [status(204), 'answered with status 204'],
  'answers with a redirect': [status(302, { Location: '/elsewhere' }), 'answered with status 302'],
  'answers with a page': [body('<html>', { 'Content-Type': 'text/html' }), 'answered with invalid JSON'],
  'answers with nothing': [body(''), 'answered with invalid JSON'],
  'answers with half a key set': [body('{"keys":[{"kty":"EC"'), 'answered with invalid JSON'],
  'answers with null': [body('null'), 'answered with an invalid key set'],
  'answers with a list': [body('[]'), 'answered with an invalid key set'],
  'answers with keys that are no list': [body('{"keys":{}}'), 'answered with an invalid key set'],
  'answers with keys that are no objects': [body('{"keys":["a"]}'), 'answered with an invalid key set'],
  'answers without end': [endless, 'answered with more than 262144 bytes'],
  'answers with a compressed flood': [
    body(gzipSync(Buffer.alloc(50_000_000, ' ')), { 'Content-Encoding': 'gzip' }),
    'answered with more than 262144 bytes',
  ],
  'promises compression and does not compress': [
    body('{"keys":[]}', { 'Content-Encoding': 'gzip' }),
    'could not be reached (',
  ],
  'ends in the middle of its answer': [
    (_request, response) => response.writeHead(200).write('{"keys"', () => response.destroy()),
    'could not be reached (',
  ],
};

const SLOW: Record<string, RequestListener> = {
  'never answers': () => undefined,
  'never gets beyond its headers': (_request, response) => response.writeHead(200).flushHeaders(),
  'answers byte by byte': dripping,
};

describe('A provider that', () => {
  it.each(Object.entries(FAILURES))('%s makes verifying unavailable', async (_what, [answer, text]) => {
    const { provider, verifier } = await start(answer);
    const failure = await failureOf(verifier, provider.token());
    expect(failure).toMatchObject({ ...unavailable, cause: { message: expect.stringContaining(text) } });
  });

  it.each(Object.entries(SLOW))('%s is given up in time', async (_what, answer) => {
    const { provider, verifier } = await start(answer, { timeoutMs: 50 });
    const failure = await failureOf(verifier, provider.token());
    const text = expect.stringContaining('did not answer within 50 ms');
    expect(failure).toMatchObject({ ...unavailable, cause: { message: text } });
  });

  it('is not there makes verifying unavailable', async () => {
    const { provider, verifier } = await start();
    await provider.stop();
    const failure = await failureOf(verifier, provider.token());
    const text = expect.stringContaining('could not be reached (ECONNREFUSED)');
    expect(failure).toMatchObject({ ...unavailable, cause: { message: text } });
  });

  it('redirects is not followed', async () => {
    const { provider, verifier } = await start((request, response) => {
      if (request.url === '/elsewhere') provider.publish(response);
      else response.writeHead(302, { Location: '/elsewhere' }).end();
    });
    await failureOf(verifier, provider.token());
    expect(provider.fetches).toBe(1);
  });

  it('answers without end is not listened to for long', async () => {
    let closed: Promise<unknown> | undefined;
    let written: () => number = () => 0;
    const { provider, verifier } = await start((request, response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      const { socket } = request;
      written = () => socket.bytesWritten;
      endless(request, response);
    });
    await failureOf(verifier, provider.token());
    await closed;
    // Bytes in the buffers of the operating system count too.
    expect(written()).toBeLessThan(16 * 1024 * 1024);
  });

  it('has no keys makes a token invalid, not verifying unavailable', async () => {
    const { provider, verifier } = await start(body('{"keys":[]}'));
    await expect(failureOf(verifier, provider.token())).resolves.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('fails has its keys accepted once it is well again', async () => {
    const { provider, clock, verifier } = await start(broken);
    await failureOf(verifier, provider.token());
    provider.answerWith();
    clock.advance(RETRY_MS);
    await expect(verifier.verify(provider.token())).resolves.toMatchObject({ sub: 'ann' });
  });
});

describe('While the provider fails', () => {
  it('known keys are good until they are too old', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.answerWith(broken);
    clock.advance(MAX_AGE_MS - 1);
    await expect(verifier.verify(provider.token())).resolves.toMatchObject({ sub: 'ann' });
    clock.advance(1);
    await expect(failureOf(verifier, provider.token())).resolves.toMatchObject(unavailable);
  });

  it('nobody can tell about an unknown key', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.answerWith(broken);
    clock.advance(COOLDOWN_MS);
    for (let i = 0; i < 2; i += 1) {
      await expect(failureOf(verifier, provider.token({}, unknown))).resolves.toMatchObject(unavailable);
    }
  });

  it('known keys are good although an unknown one could not be asked for', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.answerWith(body('{"keys":7}'));
    clock.advance(COOLDOWN_MS);
    await failureOf(verifier, provider.token({}, unknown));
    await expect(verifier.verify(provider.token())).resolves.toMatchObject({ sub: 'ann' });
  });

  it('it is asked once a second, however many tokens come', async () => {
    const { provider, clock, verifier } = await start(broken);
    for (let i = 0; i < 10; i += 1) {
      await Promise.all(Array.from({ length: 50 }, () => failureOf(verifier, provider.token())));
      clock.advance(RETRY_MS / 2);
    }
    expect(provider.fetches).toBe(5);
  });

  it('it is asked once in a cooldown about unknown keys', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.answerWith(broken);
    for (let i = 0; i < 10; i += 1) {
      clock.advance(COOLDOWN_MS / 5);
      await failureOf(verifier, provider.token({}, unknown));
    }
    expect(provider.fetches).toBe(1 + 2);
  });

  it('it is flooded when there is no cooldown', async () => {
    const { provider, verifier } = await start(broken, { cooldownMs: 0 });
    for (let i = 0; i < 20; i += 1) await failureOf(verifier, provider.token());
    expect(provider.fetches).toBe(20);
  });

  it('the error tells when it is asked again', async () => {
    const { provider, clock, verifier } = await start(broken);
    await failureOf(verifier, provider.token());
    clock.advance(RETRY_MS - 300);
    await expect(failureOf(verifier, provider.token())).resolves.toMatchObject({ retryAfterMs: 300 });
  });

  it('the error and the log hold nothing of a token', async () => {
    const { provider, verifier } = await start((request, response) => {
      response.writeHead(200).end(`zqx-${JSON.stringify(request.headers)}`);
    });
    const token = provider.token({ sub: 'zqx-marker' });
    const told = inspect([await failureOf(verifier, token), log.warn.mock.calls], { depth: null });
    expect([...token.split('.'), 'zqx'].filter((part) => told.includes(part))).toEqual([]);
  });
});

describe('The log', () => {
  it('tells once that the provider fails, and once that it is well again', async () => {
    const { provider, clock, verifier } = await start(broken);
    for (let i = 0; i < 3; i += 1) {
      await failureOf(verifier, provider.token());
      clock.advance(RETRY_MS);
    }
    provider.answerWith();
    await verifier.verify(provider.token());
    const place = `The key set of ${provider.issuer} at ${provider.jwksUrl}`;
    expect(log.warn.mock.calls).toEqual([[`${place} answered with status 500`]]);
    expect(log.log.mock.calls).toEqual([[`${place} answers again`]]);
  });

  it('is silent about a provider that is well', async () => {
    const { provider, verifier } = await start();
    await verifier.verify(provider.token());
    expect([...log.warn.mock.calls, ...log.log.mock.calls]).toEqual([]);
  });

  it('leaves out what stands behind the path of the URL', async () => {
    const provider = await IdentityProvider.start();
    provider.answerWith(broken);
    const verifier = await provider.verifier({ jwksUrl: `${provider.jwksUrl}?key=zqx` });
    const failure = await failureOf(verifier, provider.token());
    expect(inspect([failure, log.warn.mock.calls], { depth: null })).not.toContain('zqx');
  });
});
