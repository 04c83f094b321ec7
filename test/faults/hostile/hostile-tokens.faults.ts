import { createHmac } from 'node:crypto';
import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { TestClient, type UpgradeRefusedError } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { listen, welcomed, type ListeningApp } from '../../helpers/listening-app.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { RSA_KEYS, SECRET, signedToken } from '../../helpers/signed-token.js';

/** Stands still, so that seconds count. */
const clock = new ManualClock();
const now = Math.floor(clock.now() / 1000);
const RIGHT = { sub: 'ann', iss: 'https://issuer.example', aud: 'chat', exp: now + 600 };
const JWT = { secret: SECRET, algorithms: ['HS256'], issuer: RIGHT.iss, audience: 'chat' } as const;

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
/** A token with exactly this header and these claims, signed with a secret whatever they say. */
function forged(header: unknown, claims: unknown, secret = SECRET): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
const HS256 = { alg: 'HS256', typ: 'JWT' };
const like = (claims: object) => forged(HS256, { ...RIGHT, ...claims });
const without = (claim: keyof typeof RIGHT) => forged(HS256, { ...RIGHT, [claim]: undefined });

/** Everything but the last is as good as it gets. */
const ACCEPTED: [what: string, token: string][] = [
  ['as it should be', signedToken(RIGHT)],
  ['one of several audiences', like({ aud: ['shop', 'chat'] })],
  ['expired 3 s ago, which clocks may differ by', like({ exp: now - 3 })],
  ['of 3 s from now, which clocks may differ by', like({ nbf: now + 3 })],
  ['of the future by iat, which nobody has to look at', like({ iat: now + 600 })],
  ['for 40 days, longer than timers last', like({ exp: now + 40 * 86_400 })],
  ['of a user called __proto__', like({ sub: '__proto__' })],
];

const REFUSED: [what: string, token: string, code: 'UNAUTHENTICATED' | 'TOKEN_EXPIRED'][] = [
  ['empty', ' ', 'UNAUTHENTICATED'],
  ['of one part', 'abc', 'UNAUTHENTICATED'],
  ['of a user with a line feed', like({ sub: 'a\nb' }), 'UNAUTHENTICATED'],
  ['of a user with a NUL', like({ sub: 'a\u0000b' }), 'UNAUTHENTICATED'],
  ['of a user with an escape sequence of terminals', like({ sub: '\u001b[2Ja' }), 'UNAUTHENTICATED'],
  ['of a user with a C1 control character', like({ sub: 'a\u009bb' }), 'UNAUTHENTICATED'],
  ['of a user with a lone surrogate', like({ sub: 'a\ud800b' }), 'UNAUTHENTICATED'],
  ['of four parts', `${signedToken(RIGHT)}.x`, 'UNAUTHENTICATED'],
  ['without a signature', `${encode({ alg: 'none' })}.${encode(RIGHT)}.`, 'UNAUTHENTICATED'],
  ['of the algorithm none, and signed', forged({ alg: 'none' }, RIGHT), 'UNAUTHENTICATED'],
  ['of the algorithm None', forged({ alg: 'None' }, RIGHT), 'UNAUTHENTICATED'],
  ['of the algorithm " HS256"', forged({ alg: ' HS256' }, RIGHT), 'UNAUTHENTICATED'],
  ['of no algorithm', forged({ typ: 'JWT' }, RIGHT), 'UNAUTHENTICATED'],
  ['of an algorithm that is a list', forged({ alg: ['HS256'] }, RIGHT), 'UNAUTHENTICATED'],
  ['of HS512', signedToken(RIGHT, { algorithm: 'HS512' }), 'UNAUTHENTICATED'],
  ['of RS256', signedToken(RIGHT, { algorithm: 'RS256', privateKey: RSA_KEYS.privateKey }), 'UNAUTHENTICATED'],
  ['signed with an empty secret', forged(HS256, RIGHT, ''), 'UNAUTHENTICATED'],
  ['signed with another secret', forged(HS256, RIGHT, 'another'), 'UNAUTHENTICATED'],
  ['with a byte changed', signedToken(RIGHT).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')), 'UNAUTHENTICATED'],
  [
    'with a key of its own',
    forged({ ...HS256, jwk: { kty: 'oct', k: encode('mine') } }, RIGHT, 'mine'),
    'UNAUTHENTICATED',
  ],
  ['with a URL of its own keys', forged({ ...HS256, jku: 'http://127.0.0.1:1/' }, RIGHT, 'mine'), 'UNAUTHENTICATED'],
  ['with a demand in crit', forged({ ...HS256, crit: ['b64'], b64: false }, RIGHT), 'UNAUTHENTICATED'],
  ['of another issuer', like({ iss: 'https://issuer.example.evil' }), 'UNAUTHENTICATED'],
  ['of no issuer', without('iss'), 'UNAUTHENTICATED'],
  ['of another audience', like({ aud: 'shop' }), 'UNAUTHENTICATED'],
  ['of no audience', without('aud'), 'UNAUTHENTICATED'],
  ['without an end', without('exp'), 'UNAUTHENTICATED'],
  ['that ends with the universe', like({ exp: 1e300 }), 'UNAUTHENTICATED'],
  ['that ends at a text', like({ exp: String(now + 600) }), 'UNAUTHENTICATED'],
  ['that has ended', like({ exp: now - 60 }), 'TOKEN_EXPIRED'],
  ['that ended before 1970', like({ exp: -1 }), 'TOKEN_EXPIRED'],
  ['that is not to be used yet', like({ nbf: now + 60 }), 'UNAUTHENTICATED'],
  ['of nobody', without('sub'), 'UNAUTHENTICATED'],
  ['of a user without a name', like({ sub: '' }), 'UNAUTHENTICATED'],
  ['of a user that is an object', like({ sub: { id: 'ann' } }), 'UNAUTHENTICATED'],
  ['of a user that is a list', like({ sub: ['ann'] }), 'UNAUTHENTICATED'],
  ['of a user with a name of 129 characters', like({ sub: 'a'.repeat(129) }), 'UNAUTHENTICATED'],
  ['whose claims are a list', forged(HS256, [RIGHT]), 'UNAUTHENTICATED'],
  ['whose claims are a text', forged(HS256, 'ann'), 'UNAUTHENTICATED'],
  ['whose claims are null', forged(HS256, null), 'UNAUTHENTICATED'],
  ['whose header is no JSON', forged('{', RIGHT), 'UNAUTHENTICATED'],
  ['of 9,000 characters', like({ filling: 'x'.repeat(6_500) }), 'UNAUTHENTICATED'],
];

/** As many tokens as this from one address are more than the limits allow. */
const limits = { maxUnauthenticatedPerIp: Infinity, acceptsPerSecond: Infinity, maxConnectionsPerUser: Infinity };

let app: ListeningApp;
let close: () => Promise<void>;

beforeAll(async () => {
  app = await boot({ jwt: JWT }, (closing) => (close = closing));
});
afterAll(() => close());

function boot(options: RealtimeOptions, finished?: (close: () => Promise<void>) => void): Promise<ListeningApp> {
  const providers = [{ provide: Clock, useValue: clock }];
  const realtime = RealtimeModule.forRoot({ ...options, limits, token: { firstCommand: true }, providers });
  return listen({ imports: [realtime], ...(finished && { finished }) });
}

/** How a token fares in the URL: "welcome", or the code of the refusal. */
async function inUrl(token: string, at = app): Promise<string> {
  const connecting = at.connect({ token });
  return connecting.then(
    async (client) => ((await welcomed(client)) ? 'welcome' : 'nobody'),
    ({ body }: UpgradeRefusedError) => body.code,
  );
}

/** How it fares as the first command: "welcome", or the code of the error and of the close. */
async function asCommand(token: string): Promise<unknown> {
  const client = await TestClient.connect(`${app.url.replace('http', 'ws')}/ws`);
  client.send({ action: 'auth', id: 1, token });
  const answer = await client.next();
  const told = answer.type === 'realtime:authenticated' ? 'welcome' : answer.payload.code;
  if (told !== 'welcome') return [told, (await client.nextClose()).code];
  await client.close();
  return told;
}

const CLOSES = { UNAUTHENTICATED: 3500, TOKEN_EXPIRED: 3005 } as const;

describe('a token', () => {
  it.each(ACCEPTED)('%s is accepted in the URL and as the first command', async (_what, token) => {
    expect([await inUrl(token), await asCommand(token)]).toEqual(['welcome', 'welcome']);
  });

  it.each(REFUSED)('%s is refused in the URL', async (_what, token, code) => {
    expect(await inUrl(token)).toBe(code);
  });

  it.each(REFUSED)('%s is refused as the first command', async (_what, token, code) => {
    expect(await asCommand(token)).toEqual([code, CLOSES[code]]);
  });

  it('that is bad disturbs nobody whose token is good', async () => {
    const crashes = watchForCrashes();
    const good = await app.connect({ token: signedToken({ ...RIGHT, sub: 'good' }) });
    await welcomed(good);
    const bad = REFUSED.map(([, token]) => inUrl(token));
    await good.settled();
    await Promise.all(bad);
    await expect(good.settled()).resolves.toBeUndefined();
    expect(crashes).toEqual([]);
  });
});

describe('twin: without the option that asks for it', () => {
  it.each([
    ['issuer', like({ iss: 'https://issuer.example.evil' }), { ...JWT, issuer: undefined }],
    ['audience', like({ aud: 'shop' }), { ...JWT, audience: undefined }],
    ['clockToleranceS of 5', like({ exp: now - 60 }), { ...JWT, clockToleranceS: 300 }],
    ['algorithms of one', signedToken(RIGHT, { algorithm: 'HS512' }), { ...JWT, algorithms: ['HS256', 'HS512'] }],
  ])('(%s) a token that is refused above is accepted', async (_option, token, jwt) => {
    const lax = await boot({ jwt: JSON.parse(JSON.stringify(jwt)) });
    expect(await inUrl(token, lax)).toBe('welcome');
  });
});
