import { JwtVerifier, type RealtimeLimits, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { testToken, type TestClient, type UpgradeRefusedError } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../helpers/manual-clock.js';
import { commandFrame } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';
import { GatedVerifier } from '../../helpers/slow-verifier.js';

const UNAVAILABLE = { status: 503, code: 'UNAVAILABLE' };

async function stage(limits: RealtimeLimits, options: RealtimeOptions = {}) {
  const clock = new ManualClock();
  const verifier = new GatedVerifier();
  const ports = [
    { provide: Clock, useValue: clock },
    { provide: JwtVerifier, useValue: verifier },
  ];
  const scene = await Scene.set({ options: { ...options, limits }, ports });
  return { scene, clock, verifier };
}

/** Connects a user. @returns "let in", or the refusal */
async function attempt(
  scene: Scene,
  userId: string,
  onOpen: (client: TestClient) => unknown = () => undefined,
): Promise<unknown> {
  return scene.app.connect({ token: testToken(userId) }).then(
    async (client) => {
      await onOpen(client);
      return 'let in';
    },
    ({ status, headers, body }: UpgradeRefusedError) => ({
      status,
      code: body.code,
      retryAfter: headers['retry-after'],
    }),
  );
}

async function attempts(scene: Scene, count: number, user = (n: number) => `user-${n}`): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => attempt(scene, user(n))));
}

const letIn = (answers: readonly unknown[]) => answers.filter((answer) => answer === 'let in').length;

describe('more requests in a second than are accepted', () => {
  it('are answered with 503, and when to try again', async () => {
    const { scene, clock } = await stage({ acceptsPerSecond: 10 });
    // The good client has used one up.
    clock.advance(1_000);
    const answers = await scene.during(() => attempts(scene, 25));
    const refused = answers.filter((answer) => answer !== 'let in');
    expect(refused).toEqual(Array.from({ length: 15 }, () => ({ ...UNAVAILABLE, retryAfter: '1' })));
  });

  it('are accepted when they come again', async () => {
    const { scene, clock } = await stage({ acceptsPerSecond: 10 });
    await attempts(scene, 25);
    clock.advance(1_000);
    expect(letIn(await attempts(scene, 10))).toBe(10);
  });

  it('are refused without asking the verifier', async () => {
    const { scene, verifier } = await stage({ acceptsPerSecond: 10 });
    await attempts(scene, 25);
    expect(verifier.asked).toBe(10);
  });

  it('twin: with acceptsPerSecond: Infinity are all accepted', async () => {
    const { scene } = await stage({ acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity });
    expect(letIn(await attempts(scene, 600))).toBe(600);
  });
});

describe('a user who connects and leaves again and again', () => {
  const LIMITS = { acceptsPerSecond: 20, maxConnectionsPerUser: 5 };

  /** @returns the answers to one user, each of whose connections is closed before the next */
  async function comings(scene: Scene, count: number): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (let n = 0; n < count; n++) {
      const answer = await attempt(scene, 'bad', (client) => client.close());
      answers.push(answer);
      await expect.poll(async () => (await scene.app.realtime.connectionsOf('bad')).length).toBe(0);
    }
    return answers;
  }

  it('is told to wait, and the others are accepted as ever', async () => {
    const { scene } = await stage(LIMITS);
    const answers = await comings(scene, 30);
    expect(answers.at(-1)).toEqual({ status: 429, code: 'RATE_LIMITED', retryAfter: '1' });
    expect([letIn(answers), await attempt(scene, 'newcomer')]).toEqual([10, 'let in']);
  });

  it('is accepted again in time', async () => {
    const { scene, clock } = await stage(LIMITS);
    await comings(scene, 12);
    clock.advance(1_000);
    expect(letIn(await comings(scene, 2))).toBe(1);
  });

  it('twin: uses up what the node accepts when a user may have any number of connections', async () => {
    const { scene } = await stage({ ...LIMITS, maxConnectionsPerUser: Infinity });
    await comings(scene, 30);
    expect(await attempt(scene, 'newcomer')).toMatchObject({ status: 503 });
  });
});

describe('more connections than a node may have', () => {
  it('are answered with 503, and when to try again', async () => {
    const { scene } = await stage({ maxConnections: 5 });
    expect(letIn(await attempts(scene, 4))).toBe(4);
    expect(await attempt(scene, 'late')).toEqual({ ...UNAVAILABLE, retryAfter: '5' });
  });

  it('do not get in all at once', async () => {
    const { scene, verifier } = await stage({ maxConnections: 5 });
    verifier.hold();
    let refused = 0;
    const answers = Array.from({ length: 15 }, (_, n) => attempt(scene, `user-${n}`));
    for (const answer of answers) void answer.then((said) => (refused += said === 'let in' ? 0 : 1));
    await expect.poll(() => verifier.asked + refused).toBe(15);
    verifier.release();
    expect([letIn(await Promise.all(answers)), scene.sessions]).toEqual([4, 5]);
  });

  it('get in when others have gone', async () => {
    const { scene } = await stage({ maxConnections: 2 });
    const other = await scene.app.connectAs('other');
    await other.close();
    await expect.poll(() => attempt(scene, 'late')).toBe('let in');
  });

  it('twin: with maxConnections: Infinity all get in', async () => {
    const { scene } = await stage({ maxConnections: Infinity });
    expect(letIn(await attempts(scene, 15))).toBe(15);
  });
});

describe('more connections than a user may have', () => {
  const FULL = { status: 429, code: 'LIMIT_EXCEEDED', retryAfter: '5' };

  it('are answered with 429, and harm nobody else', async () => {
    const { scene } = await stage({ maxConnectionsPerUser: 3 });
    const eve = () => 'eve';
    const answers = await scene.during(() => attempts(scene, 5, eve));
    expect([letIn(answers), answers.filter((answer) => answer !== 'let in')]).toEqual([3, [FULL, FULL]]);
    expect(await attempt(scene, 'ann')).toBe('let in');
  });

  it('do not get in all at once', async () => {
    const { scene, verifier } = await stage({ maxConnectionsPerUser: 3 });
    verifier.hold();
    const answers = attempts(scene, 10, () => 'eve');
    await verifier.isAskedAbout(10);
    verifier.release();
    expect([letIn(await answers), (await scene.app.realtime.connectionsOf('eve')).length]).toEqual([3, 3]);
  });

  it('twin: with maxConnectionsPerUser: Infinity all get in', async () => {
    const { scene } = await stage({ maxConnectionsPerUser: Infinity, maxUnauthenticatedPerIp: Infinity });
    expect(letIn(await attempts(scene, 30, () => 'eve'))).toBe(30);
  });
});

describe('first commands of a user at the connection limit', () => {
  const options = { token: { firstCommand: true } };

  /** Sends so many tokens of one user at once, all of which are verified at the same moment. */
  async function tokensAtOnce(limits: RealtimeLimits, count: number) {
    const { scene, verifier } = await stage(limits, options);
    const guests = [];
    for (let n = 0; n < count; n++) guests.push(await scene.raw({ token: false }));
    verifier.hold();
    for (const guest of guests) await guest.write(commandFrame({ action: 'auth', token: testToken('eve') }));
    await verifier.isAskedAbout(count);
    verifier.release();
    return { scene, guests };
  }

  it('are answered with LIMIT_EXCEEDED and 3504', async () => {
    const { scene } = await stage({ maxConnectionsPerUser: 1 }, options);
    await scene.app.connectAs('eve');
    const guest = await scene.raw({ token: false });
    await guest.write(commandFrame({ action: 'auth', id: 1, token: testToken('eve') }));
    expect([(await guest.answer(1)).payload.code, await guest.closeCode()]).toEqual(['LIMIT_EXCEEDED', 3504]);
  });

  it('do not get in all at once', async () => {
    const { scene, guests } = await tokensAtOnce({ maxConnectionsPerUser: 3 }, 10);
    const isIn = (received: string) => received.includes('realtime:welcome') || undefined;
    const isOut = (received: string) => (received.includes('realtime:error') ? false : undefined);
    const ins = await Promise.all(
      guests.map(({ client }) => client.until((received) => isIn(received) ?? isOut(received), 'An answer')),
    );
    const connections = await scene.app.realtime.connectionsOf('eve');
    expect([ins.filter(Boolean).length, connections.length, await scene.harm()]).toEqual([3, 3, NO_HARM]);
  });

  it('twin: with maxConnectionsPerUser: Infinity all get in', async () => {
    const { scene, guests } = await tokensAtOnce({ maxConnectionsPerUser: Infinity }, 15);
    await Promise.all(guests.map((guest) => guest.hears('realtime:welcome')));
    expect(await scene.app.realtime.connectionsOf('eve')).toHaveLength(15);
  });
});
