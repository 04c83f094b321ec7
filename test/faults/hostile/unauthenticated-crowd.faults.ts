import { Clock, type RealtimeLimits } from 'nestjs-realtime';
import { testToken, type TestClient, type UpgradeRefusedError } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../helpers/manual-clock.js';
import { commandFrame, OPCODE } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** The deadline is looked at in every beat. */
const OFTEN = { intervalMs: 20, timeoutMs: 60_000 };

async function stage(limits: RealtimeLimits = {}) {
  const clock = new ManualClock();
  const scene = await Scene.set({
    options: { limits, heartbeat: OFTEN, token: { firstCommand: true }, trustProxy: 1 },
    ports: [{ provide: Clock, useValue: clock }],
  });
  return { scene, clock };
}

/** Connects from an address, with a token when there is a user. */
function from(scene: Scene, address: string, userId?: string): Promise<TestClient> {
  const token = userId === undefined ? {} : { token: testToken(userId) };
  return scene.app.connect({ ...token, headers: { 'X-Forwarded-For': address } });
}

/** Raw sockets from an address that never say who they are. */
async function crowd(scene: Scene, address: string, count: number) {
  const guests = [];
  for (let n = 0; n < count; n++) {
    guests.push(await scene.raw({ token: false, headers: { 'X-Forwarded-For': address } }));
  }
  return guests;
}

/** What somebody is answered who is not let in. */
async function refusal(connecting: Promise<TestClient>): Promise<object | 'let in'> {
  const error = await connecting.then(
    () => undefined,
    (refused: UpgradeRefusedError) => refused,
  );
  if (!error) return 'let in';
  return { status: error.status, code: error.body.code, retryAfter: error.headers['retry-after'] };
}

const TOO_MANY_FROM_ADDRESS = { status: 429, code: 'RATE_LIMITED', retryAfter: '5' };
const NODE_FULL = { status: 503, code: 'UNAVAILABLE', retryAfter: '5' };

describe('20 clients of one address that do not say who they are', () => {
  it('leave no place for another of that address', async () => {
    const { scene } = await stage();
    await crowd(scene, '192.0.2.1', 20);
    const answers = [await refusal(from(scene, '192.0.2.1')), await refusal(from(scene, '192.0.2.1', 'ann'))];
    expect([answers, await scene.harm()]).toEqual([[TOO_MANY_FROM_ADDRESS, TOO_MANY_FROM_ADDRESS], NO_HARM]);
  });

  it('leave places for those of other addresses, with a token and without', async () => {
    const { scene } = await stage();
    await scene.during(() => crowd(scene, '192.0.2.1', 20));
    expect(await refusal(from(scene, '192.0.2.2', 'ann'))).toBe('let in');
    expect(await refusal(from(scene, '192.0.2.2'))).toBe('let in');
  });

  it('cannot pass for others by what they write into X-Forwarded-For', async () => {
    const { scene } = await stage();
    await crowd(scene, '192.0.2.1', 20);
    expect(await refusal(from(scene, '198.51.100.7, 192.0.2.1'))).toEqual(TOO_MANY_FROM_ADDRESS);
  });

  it('leave places when they go', async () => {
    const { scene } = await stage();
    for (const guest of await crowd(scene, '192.0.2.1', 20)) await guest.client.reset();
    await expect.poll(() => refusal(from(scene, '192.0.2.1'))).toBe('let in');
  });

  it('leave places when they say who they are', async () => {
    const { scene } = await stage();
    for (const guest of await crowd(scene, '192.0.2.1', 20)) {
      await guest.write(commandFrame({ action: 'auth', token: testToken('bad') }));
      await guest.hears('realtime:welcome');
    }
    expect(await refusal(from(scene, '192.0.2.1'))).toBe('let in');
  });

  it('leave places when their tokens are refused', async () => {
    const { scene } = await stage();
    for (const guest of await crowd(scene, '192.0.2.1', 20)) {
      await guest.write(commandFrame({ action: 'auth', token: 'none' }));
      await guest.closeCode();
    }
    expect(await refusal(from(scene, '192.0.2.1'))).toBe('let in');
  });
});

describe('twin: with maxUnauthenticatedPerIp: Infinity, clients of one address', () => {
  it('leave no place for anybody', async () => {
    const { scene } = await stage({ maxUnauthenticatedPerIp: Infinity, maxUnauthenticated: 100 });
    await crowd(scene, '192.0.2.1', 100);
    expect(await refusal(from(scene, '192.0.2.2', 'ann'))).toEqual(NODE_FULL);
  });
});

describe('as many clients as may be that do not say who they are', () => {
  const limits = { maxUnauthenticated: 60 };

  async function full() {
    const { scene, clock } = await stage(limits);
    const guests = await scene.during(async () => [
      ...(await crowd(scene, '192.0.2.1', 20)),
      ...(await crowd(scene, '192.0.2.2', 20)),
      ...(await crowd(scene, '192.0.2.3', 20)),
    ]);
    return { scene, clock, guests };
  }

  it('leave no place for others', async () => {
    const { scene } = await full();
    expect([await refusal(from(scene, '192.0.2.4')), await scene.harm()]).toEqual([NODE_FULL, NO_HARM]);
  });

  it('do not disturb those who were there', async () => {
    const { scene } = await full();
    expect(await scene.good.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });

  it('are closed when their time is over, and leave places', async () => {
    const { scene, clock, guests } = await full();
    clock.advance(10_000);
    const codes = await Promise.all(guests.map((guest) => guest.closeCode()));
    for (const { client } of guests) client.socket.destroy();
    await expect.poll(() => refusal(from(scene, '192.0.2.4'))).toBe('let in');
    expect(new Set(codes)).toEqual(new Set([3502]));
  });

  it('are not closed before', async () => {
    const { clock, guests } = await full();
    clock.advance(9_999);
    await guests[0]!.receives(OPCODE.ping, 3);
    expect(guests.some((guest) => guest.client.received.includes('did not authenticate'))).toBe(false);
  });

  it('are closed although they send their token byte by byte', async () => {
    const { scene, clock } = await stage();
    const [guest] = await crowd(scene, '192.0.2.1', 1);
    const frame = commandFrame({ action: 'auth', token: testToken('bad') });
    for (const byte of frame.subarray(0, 10)) {
      clock.advance(1_000);
      await guest!.write(Buffer.from([byte]));
    }
    expect([await guest!.closeCode(), await scene.harm()]).toEqual([3502, NO_HARM]);
  });

  it('twin: with an authTimeoutMs of weeks keep their places', async () => {
    const { scene, clock } = await stage({ ...limits, authTimeoutMs: 2_147_483_647 });
    const guests = await crowd(scene, '192.0.2.1', 20);
    clock.advance(86_400_000);
    await guests[0]!.receives(OPCODE.ping, 3);
    expect(await refusal(from(scene, '192.0.2.1', 'ann'))).toEqual(TOO_MANY_FROM_ADDRESS);
  });
});

describe('twin: with maxUnauthenticated: Infinity', () => {
  it('one may fill the node', async () => {
    const { scene } = await stage({ maxUnauthenticated: Infinity, maxUnauthenticatedPerIp: Infinity });
    await crowd(scene, '192.0.2.1', 200);
    expect(scene.sessions).toBe(201);
  });
});
