import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, welcomed } from '../../helpers/listening-app.js';

const HOST = 'chat.example.com';

/** Connects to an application that is reached as chat.example.com. */
async function connect(headers: Record<string, string>, options: RealtimeOptions = {}): Promise<TestClient> {
  const app = await listen({ imports: [RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] })] });
  return app.connect({ token: testToken('ann'), headers: { Host: HOST, ...headers } });
}

describe('A page may connect', () => {
  it.each([
    ['of the same host', `https://${HOST}`],
    ['of the same host without TLS', `http://${HOST}`],
    ['of the same host in capitals', `https://${HOST.toUpperCase()}`],
  ])('%s', async (_whose, Origin) => {
    expect(await welcomed(await connect({ Origin }))).toBe('ann');
  });

  it('of the same host and port', async () => {
    expect(await welcomed(await connect({ Host: `${HOST}:8080`, Origin: `https://${HOST}:8080` }))).toBe('ann');
  });

  it('of an origin that allowedOrigins names', async () => {
    const client = connect({ Origin: 'https://app.example.org' }, { allowedOrigins: ['https://app.example.org'] });
    expect(await welcomed(await client)).toBe('ann');
  });

  it.each(['https://evil.net', 'null'])('of any origin (%s) where allowedOrigins is *', async (Origin) => {
    expect(await welcomed(await connect({ Origin }, { allowedOrigins: '*' }))).toBe('ann');
  });

  it('when its program sends no Origin', async () => {
    expect(await welcomed(await connect({}))).toBe('ann');
  });

  it('of the host that a trusted proxy was asked for', async () => {
    const headers = { Origin: 'https://app.example.org', 'X-Forwarded-Host': 'app.example.org' };
    expect(await welcomed(await connect(headers, { trustProxy: 1 }))).toBe('ann');
  });

  it('of the same host with TLS when a trusted proxy has TLS, and without when nobody trusted says so', async () => {
    const proto = { 'X-Forwarded-Proto': 'https' };
    expect(await welcomed(await connect({ Origin: `https://${HOST}`, ...proto }, { trustProxy: 1 }))).toBe('ann');
    expect(await welcomed(await connect({ Origin: `http://${HOST}`, ...proto }))).toBe('ann');
    const stranger = { trustProxy: ['10.0.0.0/8'] };
    expect(await welcomed(await connect({ Origin: `http://${HOST}`, ...proto }, stranger))).toBe('ann');
  });

  it('of the host that a proxy of a trusted range was asked for', async () => {
    const headers = { Origin: 'https://app.example.org', 'X-Forwarded-Host': 'app.example.org' };
    expect(await welcomed(await connect(headers, { trustProxy: ['127.0.0.0/8'] }))).toBe('ann');
  });
});

describe('A page is refused with 403', () => {
  const forbidden = { status: 403, body: { statusCode: 403, error: 'Forbidden', code: 'FORBIDDEN' } };

  it.each([
    ['of another host', 'https://evil.net'],
    ['whose origin is "null"', 'null'],
    ['whose host begins alike', `https://${HOST}.evil.net`],
    ['whose host ends alike', `https://evil${HOST}`],
    ['that names the host as a user', `https://${HOST}@evil.net`],
    ['that names the host as a path', `https://evil.net/${HOST}`],
    ['of another port', `https://${HOST}:8443`],
    ['of a sub-domain', `https://www.${HOST}`],
    ['whose origin is no origin', 'hello'],
    ['whose origin is empty', ' '],
  ])('%s', async (_whose, Origin) => {
    await expect(connect({ Origin })).rejects.toMatchObject(forbidden);
  });

  it.each([
    ['of a sub-domain of an allowed one', 'https://www.app.example.org'],
    ['of an allowed host without TLS', 'http://app.example.org'],
    ['of an allowed host at another port', 'https://app.example.org:8443'],
  ])('%s', async (_whose, Origin) => {
    await expect(connect({ Origin }, { allowedOrigins: ['https://app.example.org'] })).rejects.toMatchObject(forbidden);
  });

  it.each([1, ['127.0.0.0/8']])(
    'of the same host without TLS when a trusted proxy (%j) has TLS',
    async (trustProxy) => {
      const headers = { Origin: `http://${HOST}`, 'X-Forwarded-Proto': 'https' };
      await expect(connect(headers, { trustProxy })).rejects.toMatchObject(forbidden);
    },
  );

  it('of the host that a stranger says was asked for', async () => {
    const headers = { Origin: 'https://evil.net', 'X-Forwarded-Host': 'evil.net' };
    await expect(connect(headers)).rejects.toMatchObject(forbidden);
  });

  it('of the host that a proxy outside the trusted range was asked for', async () => {
    const headers = { Origin: 'https://evil.net', 'X-Forwarded-Host': 'evil.net' };
    await expect(connect(headers, { trustProxy: ['10.0.0.0/8'] })).rejects.toMatchObject(forbidden);
  });

  it('before its token is looked at', async () => {
    const from = () => {
      throw new Error('was asked');
    };
    await expect(connect({ Origin: 'https://evil.net' }, { token: { from } })).rejects.toMatchObject(forbidden);
  });
});
