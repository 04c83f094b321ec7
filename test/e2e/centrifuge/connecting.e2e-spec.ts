import { JwtVerifier } from 'nestjs-realtime';
import { testToken, UpgradeRefusedError } from 'nestjs-realtime/testing';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { SERVER_VERSION } from '../../../lib/codecs/centrifuge/server-version.js';
import { HeldVerifier } from '../../helpers/slow-verifier.js';
import { connected, next, sdkFor } from '../../helpers/sdk.js';
import { LineClient, PATH, startRooms } from './rooms.js';

const ann = testToken('ann');
const anHourAgo = Math.floor(Date.now() / 1000) - 3_600;

/** A WebSocket that sends these headers with its upgrade request, as browsers send cookies. */
function withHeaders(headers: Record<string, string>) {
  return class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols, { headers });
    }
  };
}

describe('A client that connects', () => {
  it('becomes the user of its token, and knows its connection by its id', async () => {
    const app = await startRooms();
    const client = sdkFor(app, { token: ann });
    const event = next(client, 'connected');
    client.connect();
    const { client: id } = await event;
    expect(await app.realtime.connection(id)).toMatchObject({ id, userId: 'ann' });
  });

  it('may get its token when it needs one', async () => {
    const app = await startRooms();
    await connected(sdkFor(app, { getToken: async () => ann }));
    expect(await app.realtime.connectionsOf('ann')).toHaveLength(1);
  });

  it('may send its token in a header of its first command', async () => {
    const app = await startRooms();
    await connected(sdkFor(app, { headers: { Authorization: `Bearer ${ann}` } }));
    expect(await app.realtime.connectionsOf('ann')).toHaveLength(1);
  });

  it('may leave it at what its request has brought', async () => {
    const app = await startRooms({ token: { from: ({ headers }) => /session=(\S+)/.exec(headers.cookie ?? '')?.[1] } });
    await connected(sdkFor(app, { websocket: withHeaders({ cookie: `session=${ann}` }) }));
    expect(await app.realtime.connectionsOf('ann')).toHaveLength(1);
  });

  it('is who its first command says, whatever the request has brought', async () => {
    const app = await startRooms();
    const authorization = `Bearer ${testToken('bob')}`;
    await connected(sdkFor(app, { token: ann, websocket: withHeaders({ authorization }) }));
    const connections = [await app.realtime.connectionsOf('ann'), await app.realtime.connectionsOf('bob')];
    expect(connections.map(({ length }) => length)).toEqual([1, 0]);
  });

  it('is told how often to expect a ping, to answer it, and when to bring another token', async () => {
    const app = await startRooms({ heartbeat: { intervalMs: 7_000 } });
    const client = await LineClient.to(app);
    client.send({ id: 1, connect: { token: ann } });
    const { connect } = await client.reply(1);
    expect(connect).toEqual({
      client: expect.any(String),
      version: SERVER_VERSION,
      ping: 7,
      pong: true,
      expires: true,
      ttl: expect.any(Number),
    });
    expect(connect.ttl).toSatisfy((ttl: number) => ttl > 3_500 && ttl <= 3_575);
  });

  it('is not asked for another token when the request has brought the first', async () => {
    const client = await LineClient.to(await startRooms(), { token: ann });
    client.send({ id: 1, connect: {} });
    expect((await client.reply(1))['connect']).not.toHaveProperty('expires');
  });

  it('is not asked for another token where the connection outlives it', async () => {
    const client = await LineClient.to(await startRooms({ authorize: { allowExpired: true } }));
    const token = testToken('ann', { exp: anHourAgo });
    client.send({ id: 1, connect: { token } }, { id: 2, refresh: { token } });
    expect((await client.reply(1))['connect']).not.toHaveProperty('expires');
    expect(await client.reply(2)).toEqual({ id: 2, refresh: {} });
  });

  it('is not listened to before its token has been verified', async () => {
    const verifier = new HeldVerifier();
    const app = await startRooms({}, { ports: [{ provide: JwtVerifier, useValue: verifier }] });
    const client = await LineClient.to(app);
    client.send({ id: 1, connect: { token: ann } }, { id: 2, subscribe: { channel: 'room:1' } });
    await verifier.begun;
    expect(await app.realtime.counts()).toMatchObject({ connections: 0, subscriptions: 0 });
    verifier.release();
    expect(await client.reply(2)).toEqual({ id: 2, subscribe: {} });
    expect(client.client.pending.map((line) => (line as { id?: unknown }).id)).toEqual([1]);
  });

  it('subscribes to as many topics as it may have, at once', async () => {
    const app = await startRooms({ limits: { commandsPerSecond: 20, commandBurst: 100, maxViolationsPerMinute: 20 } });
    const client = await LineClient.to(app);
    const topics = Array.from({ length: 128 }, (_, at) => ({ id: at + 2, subscribe: { channel: `room:${at}` } }));
    client.send({ id: 1, connect: { token: ann } }, ...topics);
    expect(await client.reply(129)).toEqual({ id: 129, subscribe: {} });
    expect(await app.realtime.counts()).toMatchObject({ subscriptions: 128 });
  });
});

describe('A client that may not connect', () => {
  it.each([
    ['does not hold', 'broken'],
    // JSON can carry it and UTF-8 cannot: two such users would become one.
    ['names a user with a lone surrogate', testToken('ann\ud800')],
  ])('stops for good when its token %s', async (_why, token) => {
    const client = sdkFor(await startRooms(), { token });
    const event = next(client, 'disconnected');
    client.connect();
    expect(await event).toEqual({ code: 3500, reason: 'invalid token' });
  });

  it('stops for good when there is no token at all', async () => {
    const client = sdkFor(await startRooms());
    const event = next(client, 'disconnected');
    client.connect();
    expect(await event).toEqual({ code: 3501, reason: 'a token is required' });
  });

  it('stops for good when the user is at the connection limit', async () => {
    const app = await startRooms({ limits: { maxConnectionsPerUser: 1 } });
    await app.connectAs('ann');
    const client = sdkFor(app, { token: ann });
    const event = next(client, 'disconnected');
    client.connect();
    expect(await event).toEqual({ code: 3504, reason: 'the user has too many connections' });
  });

  it('stops for good when it lacks what every connection must have', async () => {
    const client = sdkFor(await startRooms({ authorize: { roles: ['admin'] } }), { token: ann });
    const event = next(client, 'disconnected');
    client.connect();
    expect(await event).toMatchObject({ code: 3507 });
  });

  it('gets a new token when its own has expired', async () => {
    const app = await startRooms();
    const getToken = vi.fn<() => Promise<string>>(async () => ann);
    const client = await connected(sdkFor(app, { token: testToken('ann', { exp: anHourAgo }), getToken }));
    expect([client.state, getToken.mock.calls.length]).toEqual(['connected', 1]);
  });

  it('tries again while tokens cannot be verified', async () => {
    const verify = vi.fn<JwtVerifier['verify']>();
    verify.mockImplementationOnce(() => new Promise(() => undefined));
    verify.mockResolvedValue({ sub: 'ann', exp: anHourAgo + 7_200 });
    const options = { limits: { authTimeoutMs: 50 } };
    const app = await startRooms(options, { ports: [{ provide: JwtVerifier, useValue: { verify } }] });
    await connected(sdkFor(app, { token: ann }));
    expect(verify).toHaveBeenCalledTimes(2);
  });

  it('is closed when it says nothing', async () => {
    const app = await startRooms({ limits: { authTimeoutMs: 50 }, heartbeat: { intervalMs: 20 } });
    const { client } = await LineClient.to(app);
    expect(await client.nextClose()).toEqual({ code: 3502, reason: 'did not authenticate in time' });
  });
});

describe('The upgrade request', () => {
  it('is refused when it comes from a page that may not connect', async () => {
    const app = await startRooms();
    const refusal = app.connectTo(PATH, { headers: { origin: 'https://evil.example' } });
    await expect(refusal).rejects.toMatchObject({ status: 403 });
  });

  it('is refused when too many of the same address have not said who they are', async () => {
    const app = await startRooms({ limits: { maxUnauthenticatedPerIp: 2 } });
    await LineClient.to(app);
    await LineClient.to(app, { token: ann });
    await expect(LineClient.to(app)).rejects.toThrow(UpgradeRefusedError);
  });

  it('makes room for others once its client has said who it is', async () => {
    const app = await startRooms({ limits: { maxUnauthenticatedPerIp: 1 } });
    await (await LineClient.to(app)).connect(ann);
    const second = await LineClient.to(app);
    expect((await second.connect(ann)).client.socket.protocol).toBe('');
  });

  it('still needs a token at the path of the plain protocol', async () => {
    const app = await startRooms();
    await expect(app.connect()).rejects.toMatchObject({ status: 401 });
  });

  it('may name the sub-protocol, which is answered', async () => {
    const app = await startRooms();
    const { client } = await LineClient.to(app, { protocols: ['centrifuge-json'] });
    expect(client.socket.protocol).toBe('centrifuge-json');
  });

  it('may have an empty list of sub-protocols', async () => {
    const app = await startRooms();
    const client = await LineClient.to(app, { headers: { 'Sec-WebSocket-Protocol': '' } });
    client.send({ id: 1, connect: { token: ann } });
    expect(await client.reply(1)).toHaveProperty('connect');
  });

  it('finds nobody unless the option is set', async () => {
    const app = await startRooms({ centrifuge: false });
    await expect(app.connectTo(PATH)).rejects.toMatchObject({ status: 404 });
  });

  it('goes where the option says, and below the global prefix if that is asked for', async () => {
    const app = await startRooms(
      { centrifuge: { path: '/sdk' }, useGlobalPrefix: true },
      { configure: (nest) => void nest.setGlobalPrefix('api') },
    );
    const client = await app.connectTo('/api/sdk');
    client.send({ id: 1, connect: { token: ann } });
    expect(await client.next()).toHaveProperty('connect');
  });
});
