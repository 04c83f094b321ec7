import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS } from '../../helpers/listening-app.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const LIFE_MS = 3_600_000;

/** A token that is good for an hour by this clock. */
function freshToken(clock: Clock): string {
  return testToken('ann', { exp: Math.floor((clock.now() + LIFE_MS) / 1000) });
}

/** A client whose token has just been made, and the clock that the server goes by. */
async function connected(options: RealtimeOptions = {}): Promise<{ client: TestClient; clock: ManualClock }> {
  const clock = new ManualClock();
  const providers = [TEST_TOKENS, { provide: Clock, useValue: clock }];
  const heartbeat = { intervalMs: 20 };
  const app = await listen({ imports: [RealtimeModule.forRoot({ heartbeat, ...options, providers })] });
  const client = await app.connect({ token: freshToken(clock) });
  await client.next('realtime:welcome');
  return { client, clock };
}

/** Waits until the server has looked at its connections several times. */
async function aWhile(client: TestClient): Promise<void> {
  for (let beats = 0; beats < 3; beats += 1) await client.next('realtime:ping');
}

describe('Shortly before its token expires a client', () => {
  it('is told when that will be', async () => {
    const { client, clock } = await connected();
    const exp = Math.floor((clock.now() + LIFE_MS) / 1000);
    clock.advance(LIFE_MS - 15_000);
    const { payload } = await client.next('realtime:expiring');
    expect(payload).toEqual({ expiresAt: new Date(exp * 1000).toISOString() });
  });

  it('is told once', async () => {
    const { client, clock } = await connected();
    clock.advance(LIFE_MS - 15_000);
    await client.next('realtime:expiring');
    await aWhile(client);
    expect(client.pending).toEqual([]);
  });

  it('is not told earlier than 25 seconds before, and the tolerance for clocks', async () => {
    const { client, clock } = await connected();
    clock.advance(LIFE_MS - 32_000);
    await aWhile(client);
    expect(client.pending).toEqual([]);
  });
});

describe('When its token has expired a client', () => {
  it('is closed', async () => {
    const { client, clock } = await connected();
    clock.advance(LIFE_MS + 6_000);
    expect(await client.nextClose()).toEqual({ code: 3005, reason: 'token expired, get a new one and reconnect' });
  });

  it('stays connected within the tolerance for clocks', async () => {
    const { client, clock } = await connected();
    clock.advance(LIFE_MS + 2_000);
    await aWhile(client);
    expect((await client.request({ action: 'ping' })).type).toBe('realtime:pong');
  });

  it('is closed without tolerance when there is none', async () => {
    const jwt = { secret: 'a secret that nothing is signed with here', algorithms: ['HS256'], clockToleranceS: 0 };
    const { client, clock } = await connected({ jwt: jwt as RealtimeOptions['jwt'] });
    clock.advance(LIFE_MS + 1_000);
    expect((await client.nextClose()).code).toBe(3005);
  });

  it('stays connected where expired tokens are allowed', async () => {
    const { client, clock } = await connected({ authorize: { allowExpired: true } });
    clock.advance(LIFE_MS * 2);
    await aWhile(client);
    expect((await client.request({ action: 'ping' })).type).toBe('realtime:pong');
  });

  it('stays connected if it has renewed it', async () => {
    const { client, clock } = await connected();
    clock.advance(LIFE_MS / 2);
    await client.request({ action: 'auth', token: freshToken(clock) });
    clock.advance(LIFE_MS / 2 + 10_000);
    await aWhile(client);
    expect((await client.request({ action: 'ping' })).type).toBe('realtime:pong');
  });
});

describe('A token that was renewed', () => {
  it('is announced anew before it expires', async () => {
    const { client, clock } = await connected();
    clock.advance(LIFE_MS - 15_000);
    await client.next('realtime:expiring');
    await client.request({ action: 'auth', token: freshToken(clock) });
    clock.advance(LIFE_MS - 15_000);
    expect((await client.next('realtime:expiring')).type).toBe('realtime:expiring');
  });

  it('closes the client when it has expired, too', async () => {
    const { client, clock } = await connected();
    await client.request({ action: 'auth', token: freshToken(clock) });
    clock.advance(LIFE_MS + 6_000);
    expect((await client.nextClose()).code).toBe(3005);
  });
});
