import { RealtimeModule, type RealtimeTokenOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, welcomed, type ListeningApp } from '../../helpers/listening-app.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';

function listenWith(token: RealtimeTokenOptions = {}): Promise<ListeningApp> {
  return listen({ imports: [RealtimeModule.forRoot({ token, providers: [TEST_TOKENS] })] });
}

const ann = testToken('ann');
const bob = testToken('bob');
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const cookie = (token: string) => ({ Cookie: `session=${token}` });

describe('A client connects with its token in', () => {
  it('the query parameter "token"', async () => {
    const app = await listenWith();
    expect(await welcomed(await app.connectTo(`/ws?token=${ann}`))).toBe('ann');
  });

  it('the query parameter that the application has named', async () => {
    const app = await listenWith({ query: 'access_token' });
    expect(await welcomed(await app.connectTo(`/ws?access_token=${ann}`))).toBe('ann');
  });

  it('the Authorization header', async () => {
    const app = await listenWith();
    expect(await welcomed(await app.connect({ headers: bearer(ann) }))).toBe('ann');
  });

  it('the Authorization header with a scheme in lower case', async () => {
    const app = await listenWith();
    expect(await welcomed(await app.connect({ headers: { Authorization: `bearer ${ann}` } }))).toBe('ann');
  });

  it('the sub-protocol offer', async () => {
    const app = await listenWith();
    expect(await welcomed(await app.connect({ protocols: ['realtime', `bearer.${ann}`] }))).toBe('ann');
  });

  it('the cookie that token.from reads', async () => {
    const app = await listenWith({ from: ({ headers }) => headers.cookie?.replace('session=', '') });
    expect(await welcomed(await app.connect({ headers: cookie(ann) }))).toBe('ann');
  });
});

describe('A client is refused with its token in', () => {
  const noToken = { status: 401, body: { code: 'UNAUTHENTICATED', message: 'A token is required.' } };

  it('the query parameter "token" when another one was named', async () => {
    const app = await listenWith({ query: 'access_token' });
    await expect(app.connect({ token: ann })).rejects.toMatchObject(noToken);
  });

  it('the query when URLs may not carry tokens', async () => {
    const app = await listenWith({ query: false });
    await expect(app.connect({ token: ann })).rejects.toMatchObject(noToken);
  });

  it('an Authorization header of another scheme', async () => {
    const app = await listenWith();
    await expect(app.connect({ headers: { Authorization: `Basic ${ann}` } })).rejects.toMatchObject(noToken);
  });
});

describe('The answer to a sub-protocol offer', () => {
  it('names the neutral protocol', async () => {
    const app = await listenWith();
    const client = await app.connect({ protocols: ['realtime', `bearer.${ann}`] });
    expect(client.socket.protocol).toBe('realtime');
  });

  it('does not repeat the token', async () => {
    const app = await listenWith();
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': `realtime, bearer.${ann}` }));
    await client.heard('realtime:welcome');
    expect(client.received).not.toContain(ann);
  });

  it('names no protocol when only the token was offered', async () => {
    const app = await listenWith();
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': `bearer.${ann}` }));
    const answer = await client.heard('realtime:welcome');
    expect(answer).not.toMatch(/sec-websocket-protocol/i);
  });
});

describe('Of two tokens', () => {
  const from: RealtimeTokenOptions['from'] = ({ headers }) => headers.cookie?.replace('session=', '');

  it('that of token.from counts before the header', async () => {
    const app = await listenWith({ from });
    expect(await welcomed(await app.connect({ headers: { ...cookie(ann), ...bearer(bob) } }))).toBe('ann');
  });

  it('that of the header counts before the query', async () => {
    const app = await listenWith();
    expect(await welcomed(await app.connect({ headers: bearer(ann), token: bob }))).toBe('ann');
  });

  it('that of the query counts before the sub-protocol', async () => {
    const app = await listenWith();
    expect(await welcomed(await app.connect({ token: ann, protocols: ['realtime', `bearer.${bob}`] }))).toBe('ann');
  });

  it('the first counts even when only the second holds', async () => {
    const app = await listenWith();
    await expect(app.connect({ headers: bearer('broken'), token: ann })).rejects.toMatchObject({ status: 401 });
  });
});

describe('token.from', () => {
  it('that finds nothing leaves the other places', async () => {
    const app = await listenWith({ from: () => undefined });
    expect(await welcomed(await app.connect({ token: ann }))).toBe('ann');
  });

  it('that finds an empty text leaves the other places', async () => {
    const app = await listenWith({ from: () => '' });
    expect(await welcomed(await app.connect({ token: ann }))).toBe('ann');
  });
});
