import { RealtimeConfigurationError, RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listen, TEST_TOKENS } from '../../helpers/listening-app.js';
import { LogRecorder } from '../../helpers/log-recorder.js';
import { SECRET, signedToken } from '../../helpers/signed-token.js';

async function boot(options: RealtimeOptions, providers: unknown[] = [TEST_TOKENS]) {
  const logger = new LogRecorder();
  const app = await listen({ logger, imports: [RealtimeModule.forRoot({ ...options, providers: providers as [] })] });
  return { app, warnings: logger.lines.filter((line) => line.startsWith('warn')) };
}

const from = () => testToken('ann');

describe('A boot with pages of any origin and credentials that browsers may send by themselves', () => {
  const sent = { cookie: from, promise: async () => from(), nothing: () => undefined };

  it.each(Object.entries(sent))('is refused with the cure, also where token.from returns a %s', async (_what, read) => {
    const booting = boot({ allowedOrigins: '*', token: { from: read } });
    await expect(booting).rejects.toThrow(RealtimeConfigurationError);
    await expect(booting).rejects.toThrow(/allowedOrigins must not be "\*" .*\["https:\/\/app\.example\.com"\]/s);
  });

  it.each<[string, RealtimeOptions]>([
    ['the SDKs', { centrifuge: true }],
    ['a first command', { token: { from, firstCommand: true } }],
    ['no token in URLs', { token: { from, query: false } }],
    ['the statement that it is false', { token: { from, fromIsNotSentByBrowsers: false } }],
  ])('is refused with %s', async (_what, options) => {
    await expect(boot({ allowedOrigins: '*', token: { from }, ...options })).rejects.toThrow('fromIsNotSentByBrowsers');
  });

  it.each<[string, RealtimeOptions]>([
    ['origins that are listed', { allowedOrigins: ['https://a.example'], token: { from } }],
    ['no origin', { token: { from } }],
    ['no token.from', { allowedOrigins: '*' }],
    ['a token.from that is undefined', { allowedOrigins: '*', token: { from: undefined } }],
    ['the statement that it is none', { allowedOrigins: '*', token: { from, fromIsNotSentByBrowsers: true } }],
  ])('is silent with %s', async (_what, options) => {
    expect((await boot(options)).warnings).toEqual([]);
  });

  it('is refused for a list that holds "*"', async () => {
    await expect(boot({ allowedOrigins: ['*'], token: { from } })).rejects.toThrow('allowedOrigins must be a list');
  });
});

describe('A secret that is too short', () => {
  const short = { secret: 'x'.repeat(31), algorithms: ['HS256' as const] };

  it('stops the boot', async () => {
    await expect(boot({ jwt: short }, [])).rejects.toThrow(RealtimeConfigurationError);
    await expect(boot({ jwt: short }, [])).rejects.toThrow(/jwt\.secret is shorter than the 32 bytes/);
  });

  it('is warned about where it is asked for', async () => {
    const { app, warnings } = await boot({ jwt: { ...short, allowShortSecret: true } }, []);
    expect(warnings).toEqual([expect.stringContaining('jwt.secret')]);
    await app.connect({ token: signedToken({ sub: 'ann' }, { secret: short.secret }) });
  });
});

it('TestJwtVerifier stops a boot in production', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(boot({})).rejects.toThrow(/NODE_ENV is production/);
});

describe('jwt.typ', () => {
  const jwt = { secret: SECRET, algorithms: ['HS256' as const], typ: 'at+jwt' };
  const token = (typ: string) => signedToken({ sub: 'ann' }, { header: { alg: 'HS256', typ } });

  it.each(['at+jwt', 'application/AT+JWT'])('lets a token of the type %s in', async (typ) => {
    const { app } = await boot({ jwt }, []);
    await app.connect({ token: token(typ) });
  });

  it.each(['JWT', 'logout+jwt'])('keeps a token of the type %s out', async (typ) => {
    const { app } = await boot({ jwt }, []);
    await expect(app.connect({ token: token(typ) })).rejects.toMatchObject({ status: 401 });
  });

  it('left out lets every type in', async () => {
    const { app } = await boot({ jwt: { secret: SECRET, algorithms: ['HS256'] } }, []);
    await app.connect({ token: token('logout+jwt') });
  });
});

it('A token for a topic opens no connection', async () => {
  const { app } = await boot({ token: { firstCommand: true } });
  const token = testToken('ann', { channel: 'room:1' });
  await expect(app.connect({ token })).rejects.toMatchObject({ status: 401 });
  const client = await app.connect();
  client.send({ action: 'auth', token });
  expect(await client.nextClose()).toMatchObject({ code: 3500 });
});
