import { beforeEach, describe, expect, it } from 'vitest';
import { InMemoryConnectionRegistry } from '../../adapters/in-memory/in-memory-connection-registry.js';
import { createConnection } from '../../core/connection/connection.js';
import type { ErrorCode } from '../../core/protocol/error-code.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { AuthCommands } from './auth-commands.js';
import type { Handshake } from './handshake.js';

const EXPIRY = new Date(9_000_000);
const auth = (token: string) => ({ action: 'auth', token }) as const;

/** Takes the name of a user as a token, and fails with the code that is one. */
const handshake = {
  async authenticate(token: string) {
    if (/^[A-Z_]+$/.test(token)) throw new RealtimeError(token as ErrorCode, 'No.');
    if (token === 'broken') throw new TypeError('secret: hunter2');
    const [userId = '', ...roles] = token.split(' ');
    return { identity: { userId, roles, permissions: [], metadata: {} }, expiresAt: EXPIRY };
  },
} as unknown as Handshake;

let registry: InMemoryConnectionRegistry;
let authentication: AuthCommands;

beforeEach(() => {
  registry = new InMemoryConnectionRegistry();
  authentication = new AuthCommands(
    handshake,
    registry,
    new RealtimeSettings({ limits: { maxConnectionsPerUser: 2 } }),
  );
});

const connect = (id: string, userId = 'ann') =>
  registry.set(createConnection({ id, userId, createdAt: new Date(1_000) }));

describe('a token that comes as the first command', () => {
  it('says who it is for, and until when', async () => {
    expect(await authentication.first(auth('ann admin'))).toMatchObject({
      ok: true,
      authenticated: { identity: { userId: 'ann', roles: ['admin'] }, expiresAt: EXPIRY },
    });
  });

  it.each<[ErrorCode, string]>([
    ['UNAUTHENTICATED', 'INVALID_TOKEN'],
    ['TOKEN_EXPIRED', 'EXPIRED'],
    ['FORBIDDEN', 'PERMISSION_DENIED'],
    ['UNAVAILABLE', 'SERVER_ERROR'],
  ])('that is refused with %s ends the connection with %s', async (code, closeCode) => {
    const outcome = await authentication.first(auth(code));
    expect(outcome).toMatchObject({ ok: false, error: { code, action: 'auth' }, closeCode });
  });

  it('on which the verifier breaks is refused, and the client is told nothing of it', async () => {
    const outcome = await authentication.first(auth('broken'));
    expect([outcome.ok, JSON.stringify(outcome).includes('hunter2')]).toEqual([false, false]);
  });
});

describe('a user', () => {
  const verdict = async () => authentication.withinLimit(await authentication.first(auth('ann')));

  it('may have as many connections as the limit says', async () => {
    connect('1');
    expect(await verdict()).toMatchObject({ ok: true });
  });

  it('is turned away with one too many', async () => {
    for (const id of ['1', '2']) connect(id);
    expect(await verdict()).toMatchObject({
      ok: false,
      error: { code: 'LIMIT_EXCEEDED', action: 'auth' },
      closeCode: 'CONNECTION_LIMIT',
    });
  });

  it('is not turned away for the connections of others', async () => {
    for (const id of ['1', '2', '3']) connect(id, 'bob');
    expect([await verdict(), authentication.fullFor('bob')]).toMatchObject([{ ok: true }, { code: 'LIMIT_EXCEEDED' }]);
  });

  it('whose token was refused is told that, whatever the number of connections', async () => {
    for (const id of ['1', '2']) connect(id);
    const refused = await authentication.first(auth('TOKEN_EXPIRED'));
    expect(authentication.withinLimit(refused)).toBe(refused);
  });
});

describe('a token in place of an older one', () => {
  const before = createConnection({ id: 'n.1', userId: 'ann', roles: ['reader'], createdAt: new Date(1_000) });

  it('makes a connection of its rights, with the id and the age of the old one', async () => {
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

  it('is refused when it is for another user', async () => {
    const outcome = await authentication.renewal(auth('bob'), before);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'FORBIDDEN', action: 'auth' } });
  });

  it('that does not hold is refused', async () => {
    const outcome = await authentication.renewal(auth('TOKEN_EXPIRED'), before);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'TOKEN_EXPIRED', action: 'auth' } });
  });

  it('does not count as one connection more', async () => {
    for (const id of ['1', '2']) connect(id);
    expect(await authentication.renewal(auth('ann'), before)).toMatchObject({ ok: true });
  });
});
