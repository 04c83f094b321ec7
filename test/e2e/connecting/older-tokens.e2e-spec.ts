import { OnSubscribe, RealtimeModule, RequireRoles, TopicGateway, user, type JwtClaims } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { TestJwtVerifier, testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listen, TEST_TOKENS } from '../../helpers/listening-app.js';
import { ManualClock } from '../../helpers/manual-clock.js';

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  @RequireRoles('admin')
  join() {
    return true;
  }
}

async function stage() {
  const clock = new ManualClock();
  const providers = [TEST_TOKENS, { provide: Clock, useValue: clock }];
  const app = await listen({ providers: [DeskTopic], imports: [RealtimeModule.forRoot({ providers })] });
  const nowS = Math.floor(clock.now() / 1_000);
  /** A token that was issued so many seconds ago. */
  const token = (ageS: number | undefined, claims: JwtClaims = {}) =>
    testToken('ann', { exp: nowS + 3_600, ...(ageS !== undefined && { iat: nowS - ageS }), ...claims });
  return { app, token };
}

const renew = (client: TestClient, token: string) => client.request({ action: 'auth', token });
const mayJoin = async (client: TestClient) =>
  (await client.request({ action: 'subscribe', topic: 'desk' })).type === 'realtime:subscribed';

const OLDER = { type: 'realtime:error', payload: { code: 'TOKEN_EXPIRED' } };
const RENEWED = { type: 'realtime:authenticated' };
const ADMIN = { roles: ['admin'] };

describe('A token that is older than the active one', () => {
  it('renews nothing, and brings no rights back', async () => {
    const { app, token } = await stage();
    const client = await app.connect({ token: token(10) });
    expect(await renew(client, token(11, ADMIN))).toMatchObject(OLDER);
    expect(await mayJoin(client)).toBe(false);
  });

  it('renews nothing after a renewal either', async () => {
    const { app, token } = await stage();
    const client = await app.connect({ token: token(20, ADMIN) });
    expect(await renew(client, token(10))).toMatchObject(RENEWED);
    expect(await renew(client, token(20, ADMIN))).toMatchObject(OLDER);
    expect(await mayJoin(client)).toBe(false);
  });

  it('twin: renews, and brings the rights back, where its issue time is not looked at', async () => {
    const { app, token } = await stage();
    const { verify } = TestJwtVerifier.prototype;
    const spy = vi.spyOn(TestJwtVerifier.prototype, 'verify').mockImplementation(async function (
      this: TestJwtVerifier,
      of,
    ) {
      const { iat: _, ...claims } = await verify.call(this, of);
      return claims;
    });
    onTestFinished(() => spy.mockRestore());
    const client = await app.connect({ token: token(10) });
    expect(await renew(client, token(11, ADMIN))).toMatchObject(RENEWED);
    expect(await mayJoin(client)).toBe(true);
  });

  it.each<[string, number | undefined, number | undefined]>([
    ['the same token', 10, 10],
    ['a newer one', 10, 5],
    ['one without an iat', 10, undefined],
    ['one with an iat in place of one without', undefined, 10],
  ])('is not %s', async (_what, before, after) => {
    const { app, token } = await stage();
    const client = await app.connect({ token: token(before) });
    expect(await renew(client, token(after))).toMatchObject(RENEWED);
  });
});

describe('After changeRights()', () => {
  async function demoted(ageS: number | undefined) {
    const { app, token } = await stage();
    const client = await app.connect({ token: token(ageS, ADMIN) });
    await app.realtime.changeRights(user('ann'), { roles: [] });
    return { client, token };
  }

  it.each([[100], [undefined]])('the same token does not bring its rights back (iat %s s ago)', async (ageS) => {
    const { client, token } = await demoted(ageS);
    expect(await renew(client, token(ageS, ADMIN))).toMatchObject(RENEWED);
    expect(await mayJoin(client)).toBe(false);
  });

  it('another token from before it is refused', async () => {
    const { client, token } = await demoted(100);
    expect(await renew(client, token(50, ADMIN))).toMatchObject(OLDER);
    expect(await mayJoin(client)).toBe(false);
  });

  it('a token from after it counts', async () => {
    const { client, token } = await demoted(100);
    expect(await renew(client, token(0, ADMIN))).toMatchObject(RENEWED);
    expect(await mayJoin(client)).toBe(true);
  });

  it('only what was changed stays changed', async () => {
    const { app, token } = await stage();
    const client = await app.connect({ token: token(100, ADMIN) });
    await app.realtime.changeRights(user('ann'), { permissions: ['read'] });
    await renew(client, token(100, ADMIN));
    expect(await mayJoin(client)).toBe(true);
    const [connection] = await app.realtime.connectionsOf('ann');
    expect([...connection!.permissions]).toEqual(['read']);
  });
});
