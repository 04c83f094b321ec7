import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { createConnection } from '../../core/connection/connection.js';
import type { Authenticated } from '../../ports/authenticator.js';
import { RealtimeSettings, type RealtimeOptions } from '../../options/realtime.options.js';
import type { AuthCommands, RenewalOutcome, SessionTokenState } from '../auth/auth-commands.js';
import { NeutralContext } from '../../handlers/neutral-context.js';
import { SessionToken } from './session-token.js';

const neutral = new NeutralContext();
const EXPIRY = new Date(100_000);
const renewed = createConnection({ id: 'n.1', userId: 'ann', roles: ['admin'], createdAt: new Date(0) });
const command = { action: 'auth', token: 't', id: 7 } as const;

let client: FakeClient;
let outcome: Promise<RenewalOutcome>;
/** The state that the last renewal was judged by. */
let judgedBy: SessionTokenState | undefined;

beforeEach(() => {
  client = new FakeClient();
  client.connection = createConnection({ ...client.connection, expiresAt: EXPIRY });
  const authenticated = { identity: { userId: 'ann' }, isRevoked: async () => true } as unknown as Authenticated;
  outcome = Promise.resolve({ ok: true, authenticated, connection: renewed });
});

function servicesFor(options: RealtimeOptions = {}) {
  const renewal: AuthCommands['renewal'] = (_command, _connection, inUse) => {
    judgedBy = inUse?.();
    return outcome;
  };
  return { settings: new RealtimeSettings(options), clock: { now: () => 5_000 }, authentication: { renewal }, neutral };
}

function tokenOf(isRevoked?: Authenticated['isRevoked'], options: RealtimeOptions = {}): SessionToken {
  return new SessionToken(client, servicesFor(options), { ...(isRevoked && { isRevoked }) });
}

const ALLOWED = { authorize: { allowExpired: true } };

describe('the expiry of a token', () => {
  it('is told to the client', () => {
    expect(tokenOf().end).toEqual({ expiresAt: EXPIRY });
  });

  it('is not told where the connection may outlive the token', () => {
    expect([tokenOf(undefined, ALLOWED).end, tokenOf(undefined, ALLOWED).hasExpired(EXPIRY, 1e9)]).toEqual([{}, false]);
  });

  it('is announced once, and comes', () => {
    const token = tokenOf();
    const times = [EXPIRY.getTime() - 1_000, EXPIRY.getTime() - 500, EXPIRY.getTime() + 60_000];
    expect(times.map((now) => token.hasExpired(EXPIRY, now))).toEqual([false, false, true]);
    expect(client.told).toEqual([{ kind: 'expiring', expiresAt: EXPIRY.toISOString() }]);
  });
});

describe('a newer token', () => {
  it('makes another connection', async () => {
    expect(await tokenOf().renew(command)).toBe(renewed);
  });

  it('is refused while another one is being verified', async () => {
    const token = tokenOf();
    await Promise.all([token.renew(command), token.renew({ ...command, id: 8 })]);
    expect(client.errors).toEqual([['RATE_LIMITED', 8]]);
  });

  it('that does not hold is refused, and the session goes on', async () => {
    outcome = Promise.resolve({ ok: false, error: { code: 'FORBIDDEN', message: 'No.' } });
    expect([await tokenOf().renew(command), client.errors, client.isClosed]).toEqual([
      undefined,
      [['FORBIDDEN', 7]],
      false,
    ]);
  });

  it('comes to nothing when the client has gone meanwhile', async () => {
    const work = tokenOf().renew(command);
    client.disconnect('DISCONNECTED');
    expect(await work).toBeUndefined();
  });

  it('is announced to expire as well', async () => {
    const token = tokenOf();
    const soon = EXPIRY.getTime() - 1_000;
    token.hasExpired(EXPIRY, soon);
    await token.renew(command);
    token.hasExpired(EXPIRY, soon);
    expect(client.told).toHaveLength(2);
  });
});

describe('a newer token is judged by', () => {
  const FIRST = { fingerprint: 'first', issuedAt: new Date(1_000) };
  const renewWith = (fingerprint: string, issuedAt: Date) => {
    const authenticated = { identity: { userId: 'ann' }, fingerprint, issuedAt } as unknown as Authenticated;
    outcome = Promise.resolve({ ok: true, authenticated, connection: renewed });
  };

  it('the token that the client connected with', async () => {
    await new SessionToken(client, servicesFor(), FIRST).renew(command);
    expect(judgedBy).toEqual(FIRST);
  });

  it('the rights that the application put in place of its own, each list of them', async () => {
    const token = new SessionToken(client, servicesFor(), FIRST);
    token.rightsChanged({ roles: ['guest'] });
    token.rightsChanged({ permissions: [] });
    await token.renew(command);
    expect(judgedBy).toEqual({
      ...FIRST,
      rightsChangedAt: 5_000,
      overridden: { roles: ['guest'], permissions: [] },
    });
  });

  it.each([
    ['first', { roles: ['guest'] }],
    ['second', undefined],
  ])('those rights after the renewal with the token %s: %j', async (fingerprint, overridden) => {
    const token = new SessionToken(client, servicesFor(), FIRST);
    token.rightsChanged({ roles: ['guest'] });
    renewWith(fingerprint, new Date(9_000));
    await token.renew(command);
    await token.renew(command);
    expect(judgedBy).toEqual({ fingerprint, issuedAt: new Date(9_000), rightsChangedAt: 5_000, overridden });
  });
});

describe('a revocation', () => {
  it('ends the connection', async () => {
    await tokenOf(async () => true).endIfRevoked();
    expect(client.closedWith).toEqual(['INVALID_TOKEN', 'the token has been revoked']);
  });

  it.each<[string, Authenticated['isRevoked']]>([
    ['the token holds', async () => false],
    ['nobody can tell', () => Promise.reject(new Error('away'))],
    [
      'the check throws',
      () => {
        throw new Error('away');
      },
    ],
    ['nothing can revoke it', undefined],
  ])('does not end it when %s', async (_when, isRevoked) => {
    await tokenOf(isRevoked).endIfRevoked();
    expect(client.isClosed).toBe(false);
  });

  it('of the token before does not end a connection with a newer one', async () => {
    let answer!: (isRevoked: boolean) => void;
    const token = tokenOf(() => new Promise((resolve) => (answer = resolve)));
    const asked = token.endIfRevoked();
    await token.renew(command);
    answer(true);
    await asked;
    expect(client.isClosed).toBe(false);
  });
});
