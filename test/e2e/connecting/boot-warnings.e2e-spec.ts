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

describe('A boot with pages of any origin and credentials that browsers send by themselves', () => {
  it('is warned about, with the cure', async () => {
    const { warnings } = await boot({ allowedOrigins: '*', token: { from } });
    expect(warnings).toEqual([expect.stringContaining("['https://app.example.com']")]);
  });

  it.each<[string, RealtimeOptions]>([
    ['origins that are listed', { allowedOrigins: ['https://a.example'], token: { from } }],
    ['no token.from', { allowedOrigins: '*' }],
  ])('is not, with %s', async (_what, options) => {
    expect((await boot(options)).warnings).toEqual([]);
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
  expect(await client.nextClose(1_000)).toMatchObject({ code: 3500 });
});
