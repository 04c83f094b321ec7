import { RealtimeError, type RealtimeLimits, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { testToken, type UpgradeRefusedError } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AdmissionControl } from '../../../lib/core/connection/admission.js';
import { TestJwtVerifier } from '../../../lib/testing/test-jwt-verifier.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';
import { commandFrame, OPCODE, serverFrames } from '../../helpers/raw-frames.js';
import { startRealtimeApp, type RealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

/** The defaults divided by ten, since all of this is one process. */
const ACCEPTS_PER_SECOND = 50;
const NEW_CLIENTS = 40;
const ATTEMPTS = 400;

const LIMITS: RealtimeLimits = {
  acceptsPerSecond: ACCEPTS_PER_SECOND,
  maxUnauthenticatedPerIp: 20,
  refusedPerSecondPerIp: 20,
};

/** Refuses a request by its cookie, before there is a token to verify. */
const from: NonNullable<RealtimeOptions['token']>['from'] = ({ headers }) => {
  if (headers.cookie === 'session=bad') throw new RealtimeError('UNAUTHENTICATED', 'The session is not valid.');
  return undefined;
};

function start(limits: RealtimeLimits = {}, ports: RealtimeAppParts['ports'] = []): Promise<RealtimeApp> {
  const options = { trustProxy: 1, token: { from }, centrifuge: true };
  return startRealtimeApp({ options: { ...options, limits: { ...LIMITS, ...limits } }, ports });
}

/** An attempt to connect from the address of the attacker. @returns the HTTP status that answers it */
type Attempt = (app: RealtimeApp) => Promise<string>;

/** So many attempts, each on a socket of its own. @returns the answers */
async function attack(app: RealtimeApp, attempt: Attempt, count = ATTEMPTS): Promise<string[]> {
  const answers: string[] = [];
  const one = async () => void answers.push(await attempt(app));
  for (let left = count; left > 0; left -= 20) await Promise.all(Array.from({ length: 20 }, one));
  return answers;
}

/** A request with these headers, which is refused. */
function request(headers: Record<string, string>): Attempt {
  return async (app) => {
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest('/ws', { 'X-Forwarded-For': '192.0.2.1', ...headers }));
    return (await client.closed()).slice(9, 12);
  };
}

/** A connection to the path of the SDKs, which sends this token in its first command, or nothing, and goes. */
function sdk(token?: string, address = '192.0.2.1'): Attempt {
  return async (app) => {
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest('/ws/connection/websocket', { 'X-Forwarded-For': address }));
    const status = (await client.heard('\r\n\r\n')).slice(9, 12);
    if (token !== undefined && status === '101') {
      await client.write(commandFrame({ id: 1, connect: { token } }));
      await client.until((received) => serverFrames(received)[0], 'An answer to the first command');
    }
    const isClosed = serverFrames(client.received)[0]?.opcode === OPCODE.close;
    await client.reset();
    return isClosed ? '401' : status;
  };
}

/** The most refusals of one address that are no 429, if it began at this time: a burst of five seconds, and then its rate. */
const mostRefusals = (began: number) => 100 + (20 * (performance.now() - began)) / 1_000 + 1;

/** The fraction of new clients with valid tokens that are admitted, 0 to 1. Each has its own address unless one is given. */
async function shareOfGood(app: RealtimeApp, address?: string): Promise<number> {
  let admitted = 0;
  for (let n = 0; n < NEW_CLIENTS; n++) {
    const headers = { 'X-Forwarded-For': address ?? `198.51.100.${n}` };
    const client = await app.connect({ token: testToken(`user-${n}`), headers }).catch((error: UpgradeRefusedError) => {
      expect([429, 503]).toContain(error.status);
    });
    if (client) admitted += 1;
  }
  return admitted / NEW_CLIENTS;
}

const BAD_TOKENS = request({ Authorization: 'Bearer bad' });

const ATTACKS: [string, Attempt][] = [
  ['requests of one address without a token', request({})],
  [
    'requests that a page of a foreign origin causes',
    request({ Origin: 'https://evil.example', Authorization: 'Bearer x' }),
  ],
  ['requests of one address that token.from refuses', request({ Cookie: 'session=bad' })],
  ['requests of one address with bad tokens', BAD_TOKENS],
  ['connections of one address to the path of the SDKs that say nothing', sdk()],
  ['connections of one address to the path of the SDKs with bad tokens', sdk('bad')],
];

describe.each(ATTACKS)('%s', (_what, attempt) => {
  it('lock no new client out', async () => {
    const app = await start();
    const answers = await attack(app, attempt);
    expect([answers.length, await shareOfGood(app)]).toEqual([ATTEMPTS, 1]);
  });

  it('are told to come later once there were too many', async () => {
    const app = await start();
    const began = performance.now();
    const answers = await attack(app, attempt);
    const told = answers.filter((status) => status === '429').length;
    expect(told).toBeGreaterThanOrEqual(ATTEMPTS - mostRefusals(began));
    expect(answers.filter((status) => !['101', '401', '403', '429'].includes(status))).toEqual([]);
  });

  it('twin: lock most new clients out where refusals count for the node', async () => {
    const { settle, arrive } = AdmissionControl.prototype;
    // Time stands still, so that the bucket does not refill on a slow machine.
    const at = performance.now();
    const turnAway = vi.spyOn(AdmissionControl.prototype, 'turnAway');
    // As it was: every request draws on the one bucket of the node.
    turnAway.mockImplementation(function (this: AdmissionControl, address) {
      if (!arrive.call(this, address, 0, at).admitted) return 1_000;
      return settle.call(this, address, 'verified', at).admitted ? 0 : 1_000;
    });
    const arrived = vi.spyOn(AdmissionControl.prototype, 'arrive');
    arrived.mockImplementation(function (this: AdmissionControl, address, connections, _now, guest) {
      return arrive.call(this, address, connections, at, guest);
    });
    const settled = vi.spyOn(AdmissionControl.prototype, 'settle');
    settled.mockImplementation(function (this: AdmissionControl, address, _outcome, _now, guest) {
      return settle.call(this, address, 'verified', at, guest);
    });
    onTestFinished(() => void vi.restoreAllMocks());
    const app = await start({ refusedPerSecondPerIp: Infinity });
    await attack(app, attempt);
    const share = await shareOfGood(app);
    expect(share).toBeLessThan(0.5);
  });
});

describe('what one address may do without a good token', () => {
  it('a page of a foreign origin does not lock out its visitor', async () => {
    const app = await start();
    await attack(app, request({ Origin: 'https://evil.example' }));
    expect(await shareOfGood(app, '192.0.2.1')).toBe(1);
  });

  it('bad tokens of one address are not all verified', async () => {
    const verify = vi.spyOn(TestJwtVerifier.prototype, 'verify');
    onTestFinished(() => verify.mockRestore());
    const app = await start();
    const began = performance.now();
    await attack(app, BAD_TOKENS);
    expect(verify.mock.calls.length).toBeLessThanOrEqual(mostRefusals(began));
  });

  it('twin: with refusedPerSecondPerIp: Infinity all are verified', async () => {
    const verify = vi.spyOn(TestJwtVerifier.prototype, 'verify');
    onTestFinished(() => verify.mockRestore());
    await attack(await start({ refusedPerSecondPerIp: Infinity }), BAD_TOKENS);
    expect(verify.mock.calls.length).toBe(ATTEMPTS);
  });

  /** Time stands still; an address may be refused five times. */
  const startSmall = () => start({ refusedPerSecondPerIp: 1 }, [{ provide: Clock, useValue: new ManualClock() }]);

  it.each([
    ['that say nothing', sdk()],
    ['with bad tokens', sdk('bad')],
  ])('SDKs %s keep out only newcomers of their address that bring no token in the request', async (_what, attempt) => {
    const app = await startSmall();
    await attack(app, attempt, 40);
    const others = await Promise.all([1, 2, 3].map((n) => sdk(testToken('eve'), `198.51.100.${n}`)(app)));
    const neighbour = await sdk(testToken('bob'))(app);
    expect([others, neighbour]).toEqual([['101', '101', '101'], '429']);
    expect(await shareOfGood(app, '192.0.2.1')).toBe(1);
  });

  /** Ten bad tokens, each from an address of its own in one IPv6 network. @returns how many were verified */
  async function verifiedOfNetwork(app: RealtimeApp): Promise<number> {
    const statuses: unknown[] = [];
    for (let n = 0; n < 10; n++) {
      const headers = { 'X-Forwarded-For': `[2001:db8::${n + 1}]:4711` };
      await app.connect({ token: 'bad', headers }).catch(({ status }: UpgradeRefusedError) => statuses.push(status));
    }
    expect(statuses).toHaveLength(10);
    return statuses.filter((status) => status === 401).length;
  }

  it('many addresses of one IPv6 network count as one', async () => {
    const app = await startSmall();
    expect(await verifiedOfNetwork(app)).toBe(5);
    const other = { 'X-Forwarded-For': '[2001:db8:0:1::1]:4711' };
    await expect(app.connect({ token: 'bad', headers: other })).rejects.toMatchObject({ status: 401 });
  });

  it('twin: count for themselves when the network is not looked at', async () => {
    const { arrive, settle } = AdmissionControl.prototype;
    let at = 0;
    vi.spyOn(AdmissionControl.prototype, 'arrive').mockImplementation(function (
      this: AdmissionControl,
      network,
      ...rest
    ) {
      return arrive.call(this, `${network} ${(at += 1)}`, ...rest);
    });
    vi.spyOn(AdmissionControl.prototype, 'settle').mockImplementation(function (
      this: AdmissionControl,
      network,
      ...rest
    ) {
      return settle.call(this, `${network} ${at}`, ...rest);
    });
    onTestFinished(() => void vi.restoreAllMocks());
    expect(await verifiedOfNetwork(await startSmall())).toBe(10);
  });

  it('clients that connect without a token and go lock no new client out', async () => {
    const options = { trustProxy: 1, limits: LIMITS, token: { firstCommand: true } };
    const app = await startRealtimeApp({ options });
    for (let n = 0; n < 150; n++) {
      const client = await RawClient.to(app.url);
      await client.write(upgradeRequest('/ws', { 'X-Forwarded-For': '192.0.2.1' }));
      await client.heard('HTTP/1.1');
      await client.reset();
    }
    expect(await shareOfGood(app)).toBe(1);
  });
});
