import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import type { FirstOutcome } from '../auth/auth-commands.js';
import { UnauthenticatedPeer, type UnauthenticatedEndpoint } from './unauthenticated-peer.js';

const AUTHENTICATED = { identity: { userId: 'ann' } } as Authenticated;
const INFO: ConnectInfo = { purpose: 'connect', address: '192.0.2.1' };
const GOOD: FirstOutcome = { ok: true, authenticated: AUTHENTICATED };
const FULL: FirstOutcome = {
  ok: false,
  error: { code: 'LIMIT_EXCEEDED', message: 'Full.' },
  closeCode: 'CONNECTION_LIMIT',
};

class FakeEndpoint extends FakeClient implements UnauthenticatedEndpoint {
  suspend(): void {
    this.log.push('suspend');
  }

  async serve({ identity }: Authenticated): Promise<void> {
    this.log.push(`serve ${identity.userId}`);
  }
}

let endpoint: FakeEndpoint;
let tokens: string[];
let infos: ConnectInfo[];
let verify: Promise<FirstOutcome>;
/** How many connections are served when the limit is looked at. */
let servedBefore: number[];

beforeEach(() => {
  endpoint = new FakeEndpoint();
  tokens = [];
  infos = [];
  servedBefore = [];
  verify = Promise.resolve(GOOD);
});

function peer(token?: string, withinLimit = (outcome: FirstOutcome) => outcome): UnauthenticatedPeer {
  const judged = (outcome: FirstOutcome) => {
    endpoint.log.push(outcome.ok ? 'verified' : 'refused');
    return outcome;
  };
  const pending = { token, judged, info: INFO };
  return new UnauthenticatedPeer(pending, endpoint, {
    first: (command, info) => {
      tokens.push(command.token);
      infos.push(info);
      return verify;
    },
    withinLimit,
  });
}

const auth = (token: string) => ({ action: 'auth', token, id: 7 }) as const;

describe('a peer that has not authenticated', () => {
  it('is late after as many ticks as it may take', () => {
    const one = peer();
    expect([one.isLate(2), one.isLate(2), one.isLate(2)]).toEqual([false, false, true]);
  });

  it('is served when its first command brings a good token', async () => {
    await peer().authenticate(auth('t'));
    expect([tokens, endpoint.log]).toEqual([['t'], ['suspend', 'verified', 'serve ann']]);
  });

  it('is judged by what is known of its request', async () => {
    await peer().authenticate(auth('t'));
    expect(infos).toEqual([INFO]);
  });

  it('may leave it at the token of the request', async () => {
    await peer('of the request').authenticate(auth(''));
    expect(tokens).toEqual(['of the request']);
  });

  it('is closed when there is no token at all', async () => {
    await peer().authenticate(auth(''));
    expect([tokens, endpoint.closedWith]).toEqual([[], ['BAD_REQUEST', 'a token is required']]);
  });

  it('is told why its token was refused, and closed', async () => {
    verify = Promise.resolve({
      ...FULL,
      error: { code: 'UNAUTHENTICATED', message: 'No.' },
      closeCode: 'INVALID_TOKEN',
    });
    await peer().authenticate(auth('t'));
    expect([endpoint.errors, endpoint.closedWith]).toEqual([[['UNAUTHENTICATED', 7]], ['INVALID_TOKEN']]);
  });

  it('is not served when it has gone while its token was verified', async () => {
    const work = peer().authenticate(auth('t'));
    endpoint.disconnect('DISCONNECTED');
    await work;
    expect(endpoint.log).toEqual(['suspend']);
  });

  it('is served in the turn in which the connections of its user are counted', async () => {
    const served = () => endpoint.log.filter((entry) => entry === 'serve ann').length;
    const withinLimit = (outcome: FirstOutcome) => {
      servedBefore.push(served());
      return served() < 1 ? outcome : FULL;
    };
    const peers = [peer(undefined, withinLimit), peer(undefined, withinLimit)];
    await Promise.all(peers.map((one) => one.authenticate(auth('t'))));
    expect([servedBefore, served(), endpoint.closedWith]).toEqual([[0, 1], 1, ['CONNECTION_LIMIT']]);
  });
});
