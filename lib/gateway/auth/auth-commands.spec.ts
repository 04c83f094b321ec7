import { beforeEach, describe, expect, it } from 'vitest';
import { InMemoryConnectionRegistry } from '../../adapters/in-memory/in-memory-connection-registry.js';
import { createConnection } from '../../core/connection/connection.js';
import type { ErrorCode } from '../../core/protocol/error-code.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { AuthCommands } from './auth-commands.js';
import type { Handshake } from './handshake.js';

const EXPIRY = new Date(9_000_000);
const auth = (token: string) => ({ action: 'auth', token }) as const;
const INFO = { purpose: 'connect', address: '192.0.2.1' } as const;

/** What tokens were judged by, besides themselves. */
let judgedBy: ConnectInfo[];

/** Accepts `user role role` as a token; a token that is an error code fails with that code. */
const handshake = {
  async authenticate(token: string, info: ConnectInfo) {
    judgedBy.push(info);
    if (/^[A-Z_]+$/.test(token)) throw new RealtimeError(token as ErrorCode, 'No.');
    if (token === 'broken') throw new TypeError('secret: hunter2');
    const [userId = '', ...roles] = token.split(' ');
    return { identity: { userId, roles, permissions: [], metadata: {} }, expiresAt: EXPIRY };
  },
} as unknown as Handshake;

let registry: InMemoryConnectionRegistry;
let authentication: AuthCommands;

beforeEach(() => {
  judgedBy = [];
  registry = new InMemoryConnectionRegistry();
  authentication = new AuthCommands(
    handshake,
    registry,
    new RealtimeSettings({ limits: { maxConnectionsPerUser: 2 } }),
  );
});

const connect = (id: string, userId = 'ann') =>
  registry.set(createConnection({ id, userId, createdAt: new Date(1_000) }));

describe('the token of a first command', () => {
  it('yields the identity and its expiry', async () => {
    expect(await authentication.first(auth('ann admin'), INFO)).toMatchObject({
      ok: true,
      authenticated: { identity: { userId: 'ann', roles: ['admin'] }, expiresAt: EXPIRY },
    });
  });

  it.each<[ErrorCode, string]>([
    ['UNAUTHENTICATED', 'INVALID_TOKEN'],
    ['TOKEN_EXPIRED', 'EXPIRED'],
    ['FORBIDDEN', 'PERMISSION_DENIED'],
    ['UNAVAILABLE', 'SERVER_ERROR'],
  ])('refused with %s closes the connection with %s', async (code, closeCode) => {
    const outcome = await authentication.first(auth(code), INFO);
    expect(outcome).toMatchObject({ ok: false, error: { code, action: 'auth' }, closeCode });
  });

  it('is refused without details when the verifier throws', async () => {
    const outcome = await authentication.first(auth('broken'), INFO);
    expect([outcome.ok, JSON.stringify(outcome).includes('hunter2')]).toEqual([false, false]);
  });
});

describe('what is known of the client', () => {
  const before = createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(1_000) });

  it('comes with the first command', async () => {
    await authentication.first(auth('ann'), INFO);
    expect(judgedBy).toEqual([INFO]);
  });

  it.each<[string | undefined, ConnectInfo]>([
    ['192.0.2.1', { purpose: 'renew', address: '192.0.2.1' }],
    [undefined, { purpose: 'renew' }],
  ])('of a newer token is the address %s', async (address, info) => {
    await authentication.renewal(auth('ann'), before, undefined, address);
    expect(judgedBy).toEqual([info]);
  });
});

describe('a user', () => {
  const verdict = async () => authentication.withinLimit(await authentication.first(auth('ann'), INFO));

  it('may have as many connections as the limit allows', async () => {
    connect('1');
    expect(await verdict()).toMatchObject({ ok: true });
  });

  it('is refused a connection above the limit', async () => {
    for (const id of ['1', '2']) connect(id);
    expect(await verdict()).toMatchObject({
      ok: false,
      error: { code: 'LIMIT_EXCEEDED', action: 'auth' },
      closeCode: 'CONNECTION_LIMIT',
    });
  });

  it('is not refused because of the connections of others', async () => {
    for (const id of ['1', '2', '3']) connect(id, 'bob');
    expect([await verdict(), authentication.fullFor('bob')]).toMatchObject([{ ok: true }, { code: 'LIMIT_EXCEEDED' }]);
  });

  it('gets the refusal of the token, even at the connection limit', async () => {
    for (const id of ['1', '2']) connect(id);
    const refused = await authentication.first(auth('TOKEN_EXPIRED'), INFO);
    expect(authentication.withinLimit(refused)).toBe(refused);
  });
});

describe('a token that replaces an older one', () => {
  const before = createConnection({ id: 'n.1', userId: 'ann', roles: ['reader'], createdAt: new Date(1_000) });

  it('yields a connection with its rights and with the id and creation time of the old one', async () => {
    const outcome = await authentication.renewal(auth('ann admin'), before);
    expect(outcome).toMatchObject({
      ok: true,
      connection: {
        id: 'n.1',
        userId: 'ann',
        roles: new Set(['admin']),
        createdAt: new Date(1_000),
        expiresAt: EXPIRY,
      },
    });
  });

  it('is refused if it is for another user', async () => {
    const outcome = await authentication.renewal(auth('bob'), before);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'FORBIDDEN', action: 'auth' } });
  });

  it('is refused if it is not valid', async () => {
    const outcome = await authentication.renewal(auth('TOKEN_EXPIRED'), before);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'TOKEN_EXPIRED', action: 'auth' } });
  });

  it('does not count as another connection', async () => {
    for (const id of ['1', '2']) connect(id);
    expect(await authentication.renewal(auth('ann'), before)).toMatchObject({ ok: true });
  });
});
