import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS } from '../../helpers/listening-app.js';
import { LogRecorder } from '../../helpers/log-recorder.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';

async function stage(options: RealtimeOptions = {}) {
  const logger = new LogRecorder();
  const app = await listen({ logger, imports: [RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] })] });
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest(path, headers).replace('GET', method));
    await client.closed();
    return logger.lines.filter((line) => line.includes('Upgrade refused'));
  };
  return { app, ask, logger };
}

const FULL = { limits: { maxConnectionsPerUser: 1 } };

describe('A refused upgrade is in the log at debug level', () => {
  it.each<[string, RealtimeOptions, string, Record<string, string>, string]>([
    ['a path', {}, '/nowhere?token=hunter2', {}, '404: No WebSocket is served at this path. (127.0.0.1, /nowhere)'],
    [
      'a path with an encoded query',
      {},
      '/ws%3Ftoken=hunter2',
      {},
      '404: No WebSocket is served at this path. (127.0.0.1, /ws)',
    ],
    ['no token', {}, '/ws?x=1', {}, '401: A token is required. (127.0.0.1, /ws)'],
    ['a bad token', {}, '/ws?token=hunter2', {}, '401: The token was refused with UNAUTHENTICATED. (127.0.0.1, /ws)'],
    [
      'a foreign origin',
      {},
      '/ws?token=hunter2',
      { Origin: 'https://evil.example' },
      '403: Pages of this origin may not connect; see allowedOrigins. (127.0.0.1, /ws)',
    ],
    [
      'a client behind a proxy',
      { trustProxy: 1 },
      '/ws',
      { 'X-Forwarded-For': '[2001:db8::1]:80' },
      '401: A token is required. (2001:db8::1, /ws)',
    ],
  ])('for %s', async (_what, options, path, headers, line) => {
    const { ask, logger } = await stage(options);
    expect(await ask(path, headers)).toEqual([expect.stringContaining(`debug Upgrade refused with ${line}`)]);
    expect(logger.lines.join()).not.toContain('hunter2');
  });

  it('for another method, which is answered with 405', async () => {
    const { ask } = await stage();
    expect(await ask('/ws', {}, 'POST')).toEqual([expect.stringContaining('refused with 405')]);
  });

  it('for a user with too many connections', async () => {
    const { app, ask } = await stage(FULL);
    await app.connect({ token: testToken('ann') });
    const lines = await ask(`/ws?token=${testToken('ann')}`);
    expect(lines).toEqual([expect.stringContaining('429: The user has reached the maximum number of connections')]);
  });
});

describe('X-Forwarded-For while trustProxy is 0', () => {
  const warnings = (lines: string[]) => lines.filter((line) => line.startsWith('warn') && line.includes('trustProxy'));

  it('is warned about once', async () => {
    const { ask, logger } = await stage();
    for (let n = 0; n < 3; n++) await ask('/ws', { 'X-Forwarded-For': '192.0.2.1' });
    expect(warnings(logger.lines)).toHaveLength(1);
  });

  it.each<[string, RealtimeOptions, Record<string, string>]>([
    ['when there is none', {}, {}],
    ['when proxies are trusted', { trustProxy: 1 }, { 'X-Forwarded-For': '192.0.2.1' }],
  ])('is not warned about %s', async (_when, options, headers) => {
    const { ask, logger } = await stage(options);
    await ask('/ws', headers);
    expect(warnings(logger.lines)).toEqual([]);
  });
});
