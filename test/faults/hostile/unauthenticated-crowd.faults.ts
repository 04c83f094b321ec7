import type { RealtimeLimits } from 'nestjs-realtime';
import { testToken, type TestClient, type UpgradeRefusedError } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { commandFrame, OPCODE } from '../../helpers/raw-frames.js';
import { NO_HARM, Scene } from '../../helpers/scene.js';

/** Every beat is a ping, so that clients can count how much time they have had. */
const OFTEN = { intervalMs: 20, timeoutMs: 60_000 };

function stage(limits: RealtimeLimits = {}): Promise<Scene> {
  return Scene.set({ options: { limits, heartbeat: OFTEN, token: { firstCommand: true }, trustProxy: 1 } });
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

/** The answer to a client that is refused. */
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
  it('leave no place for another of that kind and address', async () => {
    const scene = await stage();
    await crowd(scene, '192.0.2.1', 20);
    expect([await refusal(from(scene, '192.0.2.1')), await scene.harm()]).toEqual([TOO_MANY_FROM_ADDRESS, NO_HARM]);
  });

  it('do not keep out one of that address who has a token', async () => {
    const scene = await stage();
    await crowd(scene, '192.0.2.1', 20);
    expect(await refusal(from(scene, '192.0.2.1', 'ann'))).toBe('let in');
  });

  it('leave places for those of other addresses, with a token and without', async () => {
    const scene = await stage();
    await scene.during(() => crowd(scene, '192.0.2.1', 20));
    expect(await refusal(from(scene, '192.0.2.2', 'ann'))).toBe('let in');
    expect(await refusal(from(scene, '192.0.2.2'))).toBe('let in');
  });

  it('cannot pass for others by what they write into X-Forwarded-For', async () => {
    const scene = await stage();
    await crowd(scene, '192.0.2.1', 20);
    expect(await refusal(from(scene, '198.51.100.7, 192.0.2.1'))).toEqual(TOO_MANY_FROM_ADDRESS);
  });

  it('leave places when they go', async () => {
    const scene = await stage();
    for (const guest of await crowd(scene, '192.0.2.1', 20)) await guest.client.reset();
    await expect.poll(() => refusal(from(scene, '192.0.2.1'))).toBe('let in');
  });

  it('leave places when they say who they are', async () => {
    const scene = await stage();
    for (const guest of await crowd(scene, '192.0.2.1', 20)) {
      await guest.write(commandFrame({ action: 'auth', token: testToken('bad') }));
      await guest.hears('realtime:welcome');
    }
    expect(await refusal(from(scene, '192.0.2.1'))).toBe('let in');
  });

  it('leave places when their tokens are refused', async () => {
    const scene = await stage();
    for (const guest of await crowd(scene, '192.0.2.1', 20)) {
      await guest.write(commandFrame({ action: 'auth', token: 'none' }));
      await guest.closeCode();
    }
    expect(await refusal(from(scene, '192.0.2.1'))).toBe('let in');
  });
});

describe('twin: with maxUnauthenticatedPerIp: Infinity, clients of one address', () => {
  it('leave no place for others of their kind', async () => {
    const scene = await stage({
      maxUnauthenticatedPerIp: Infinity,
      refusedPerSecondPerIp: Infinity,
      maxUnauthenticated: 100,
    });
    await crowd(scene, '192.0.2.1', 100);
    expect(await refusal(from(scene, '192.0.2.2'))).toEqual(NODE_FULL);
  });
});

describe('as many clients as may be that do not say who they are', () => {
  async function full(): Promise<Scene> {
    const scene = await stage({ maxUnauthenticated: 60 });
    await scene.during(async () => {
      for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) await crowd(scene, address, 20);
    });
    return scene;
  }

  it('leave no place for others', async () => {
    const scene = await full();
    expect([await refusal(from(scene, '192.0.2.4')), await scene.harm()]).toEqual([NODE_FULL, NO_HARM]);
  });

  it('do not disturb those who were there', async () => {
    const scene = await full();
    expect(await scene.good.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });
});

describe('a client that does not say who it is', () => {
  it('is closed when its time is over, and no earlier', async () => {
    const scene = await stage({ authTimeoutMs: 200 });
    const [guest] = await crowd(scene, '192.0.2.1', 1);
    expect([await guest!.closeCode(), await scene.harm()]).toEqual([3502, NO_HARM]);
    expect(guest!.pings).toBeGreaterThanOrEqual(10);
  });

  it('leaves its place when its time is over', async () => {
    const scene = await stage({ authTimeoutMs: 200, maxUnauthenticated: 1 });
    const [guest] = await crowd(scene, '192.0.2.1', 1);
    await guest!.closeCode();
    guest!.client.socket.destroy();
    await expect.poll(() => refusal(from(scene, '192.0.2.4'))).toBe('let in');
  });

  it('is closed although it sends its token byte by byte', async () => {
    const scene = await stage({ authTimeoutMs: 200 });
    const [guest] = await crowd(scene, '192.0.2.1', 1);
    const frame = commandFrame({ action: 'auth', token: testToken('bad') });
    const closing = guest!.closeCode();
    for (let beat = 1; beat <= 10; beat++) {
      await guest!.receives(OPCODE.ping, beat);
      await guest!.write(frame.subarray(beat - 1, beat));
    }
    expect([await closing, await scene.harm()]).toEqual([3502, NO_HARM]);
  });

  it('twin: with an authTimeoutMs of weeks keeps its place', async () => {
    const scene = await stage({ authTimeoutMs: 2_147_483_647, maxUnauthenticated: 1 });
    const [guest] = await crowd(scene, '192.0.2.1', 1);
    await guest!.receives(OPCODE.ping, 30);
    expect(await refusal(from(scene, '192.0.2.1'))).toEqual(NODE_FULL);
  });
});

describe('twin: with maxUnauthenticated: Infinity', () => {
  it('one may fill the node', async () => {
    const scene = await stage({
      maxUnauthenticated: Infinity,
      maxUnauthenticatedPerIp: Infinity,
      refusedPerSecondPerIp: Infinity,
    });
    await crowd(scene, '192.0.2.1', 200);
    expect(scene.sessions).toBe(201);
  });
});
