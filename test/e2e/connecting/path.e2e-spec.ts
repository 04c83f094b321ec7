import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, welcomed, type ListeningApp } from '../../helpers/listening-app.js';

function listenWith(options: RealtimeOptions, prefix?: string): Promise<ListeningApp> {
  return listen({
    imports: [RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] })],
    configure: (app) => prefix !== undefined && app.setGlobalPrefix(prefix),
  });
}

const token = testToken('ann');

describe('The endpoint is', () => {
  it('at /ws unless told otherwise', async () => {
    const app = await listenWith({});
    expect(await welcomed(await app.connectTo('/ws', { token }))).toBe('ann');
  });

  it('at the path of the options', async () => {
    const app = await listenWith({ path: '/realtime/v1' });
    expect(await welcomed(await app.connectTo('/realtime/v1', { token }))).toBe('ann');
  });

  it('at no other path then', async () => {
    const app = await listenWith({ path: '/realtime/v1' });
    await expect(app.connectTo('/ws', { token })).rejects.toMatchObject({ status: 404 });
  });

  it('at the root of the server when the path is /', async () => {
    const app = await listenWith({ path: '/' });
    expect(await welcomed(await app.connectTo('/', { token }))).toBe('ann');
  });

  it('at its path whatever the global prefix', async () => {
    const app = await listenWith({}, 'api');
    expect(await welcomed(await app.connectTo('/ws', { token }))).toBe('ann');
  });

  it.each(['api', '/api', '/api/', 'api/v2'])('behind the global prefix (%s) when asked to', async (prefix) => {
    const app = await listenWith({ useGlobalPrefix: true }, prefix);
    expect(await welcomed(await app.connectTo(`/${prefix.replace(/^\/|\/$/g, '')}/ws`, { token }))).toBe('ann');
  });

  it('behind the global prefix only, when asked to', async () => {
    const app = await listenWith({ useGlobalPrefix: true }, 'api');
    await expect(app.connectTo('/ws', { token })).rejects.toMatchObject({ status: 404 });
  });

  it('at its path when asked for a prefix that is not set', async () => {
    const app = await listenWith({ useGlobalPrefix: true });
    expect(await welcomed(await app.connectTo('/ws', { token }))).toBe('ann');
  });
});
