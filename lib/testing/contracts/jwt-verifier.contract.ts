import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { JwtClaims } from '../../core/identity/claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { JwtVerifier } from '../../ports/jwt-verifier.js';
import type { ContractCase } from './contract-case.js';

/**
 * A verifier under test, with functions that create tokens for it.
 * @publicApi
 */
export interface JwtVerifierSetup {
  /** A verifier that requires the issuer and audience below, and uses the machine's clock. */
  readonly verifier: JwtVerifier;
  readonly issuer: string;
  readonly audience: string;
  /** Returns a token with these claims and a signature that the verifier accepts. */
  readonly sign: (claims: JwtClaims) => string | Promise<string>;
  /** Returns such a token, signed with a key that the verifier does not trust. */
  readonly forge: (claims: JwtClaims) => string | Promise<string>;
}

const HOUR_S = 3_600;

/** A text that an error can contain only if it quotes the token. */
const MARKER = 'zqx-marker';

/**
 * Guarantees of every `JwtVerifier`.
 * @publicApi
 */
export const jwtVerifierContract: readonly ContractCase<JwtVerifierSetup>[] = [
  {
    name: 'resolves with the claims of a genuine token',
    async run(create) {
      const setup = await create();
      const claims = claimsFor(setup, { roles: ['admin'] });
      const resolved = await setup.verifier.verify(await setup.sign(claims));
      assert.deepEqual({ ...resolved, iat: undefined }, { ...claims, iat: undefined });
    },
  },
  {
    name: 'rejects a token that is signed with another key',
    async run(create) {
      const setup = await create();
      await assertRejects(setup, await setup.forge(claimsFor(setup)));
    },
  },
  {
    name: 'rejects changed claims under a genuine signature',
    async run(create) {
      const setup = await create();
      const [header, , signature] = (await setup.sign(claimsFor(setup))).split('.');
      await assertRejects(setup, `${header}.${base64url(claimsFor(setup, { sub: 'root' }))}.${signature}`);
    },
  },
  {
    name: 'rejects a token that calls itself unsigned',
    async run(create) {
      const setup = await create();
      const payload = base64url(claimsFor(setup));
      const [, , signature] = (await setup.sign(claimsFor(setup))).split('.');
      for (const alg of ['none', 'None', 'NONE', '']) {
        await assertRejects(setup, `${base64url({ alg, typ: 'JWT' })}.${payload}.`);
        await assertRejects(setup, `${base64url({ alg, typ: 'JWT' })}.${payload}.${signature}`);
      }
    },
  },
  {
    name: 'rejects a token of another issuer, or of none',
    async run(create) {
      const setup = await create();
      for (const iss of ['https://elsewhere.example', undefined]) {
        await assertRejects(setup, await setup.sign(claimsFor(setup, { iss })));
      }
    },
  },
  {
    name: 'rejects a token for another audience, or for none',
    async run(create) {
      const setup = await create();
      for (const aud of ['elsewhere', ['elsewhere'], undefined]) {
        await assertRejects(setup, await setup.sign(claimsFor(setup, { aud })));
      }
    },
  },
  {
    name: 'rejects a token that is not valid yet',
    async run(create) {
      const setup = await create();
      await assertRejects(setup, await setup.sign(claimsFor(setup, { nbf: seconds() + HOUR_S })));
    },
  },
  {
    name: 'answers an expired token with its claims, or with TOKEN_EXPIRED',
    async run(create) {
      const setup = await create();
      const token = await setup.sign(claimsFor(setup, { exp: seconds() - HOUR_S }));
      const answer = await answerOf(setup, token);
      const told = answer instanceof RealtimeError ? answer.code : (answer as JwtClaims).sub;
      assert.ok(told === 'TOKEN_EXPIRED' || told === MARKER, `the answer was ${inspect(answer)}`);
    },
  },
  {
    name: 'rejects what is no token',
    async run(create) {
      const setup = await create();
      const token = await setup.sign(claimsFor(setup));
      const texts = ['', '.', '..', 'a.b.c', ` ${token}`, `${token}.`, token.replace('.', '..'), 'a'.repeat(100_000)];
      for (const value of [...texts, undefined, null, 7, {}, [token]]) await assertRejects(setup, value);
    },
  },
  {
    name: 'quotes nothing of a token in its errors',
    async run(create) {
      const setup = await create();
      const [header, payload, signature] = (await setup.sign(claimsFor(setup))).split('.') as [string, string, string];
      const unreadable = Buffer.from(MARKER).toString('base64url');
      const tokens = [
        await setup.forge(claimsFor(setup)),
        await setup.sign(claimsFor(setup, { aud: MARKER, iss: MARKER })),
        `${base64url({ alg: MARKER })}.${payload}.${signature}`,
        `${unreadable}.${payload}.${signature}`,
        `${header}.${unreadable}.${signature}`,
        MARKER,
      ];
      for (const token of tokens) {
        const text = inspect(await rejectionOf(setup, token), { depth: null });
        const quoted = [MARKER, ...token.split('.')].filter((part) => part.length > 3 && text.includes(part));
        assert.deepEqual(quoted, []);
      }
    },
  },
  {
    name: 'keeps tokens apart that are verified at the same time',
    async run(create) {
      const setup = await create();
      const subjects = Array.from({ length: 20 }, (_, i) => `user-${i}`);
      const tokens = await Promise.all(subjects.map((sub) => setup.sign(claimsFor(setup, { sub }))));
      const resolved = await Promise.all(tokens.map((token) => setup.verifier.verify(token)));
      assert.deepEqual(
        resolved.map(({ sub }) => sub),
        subjects,
      );
    },
  },
];

function claimsFor({ issuer, audience }: JwtVerifierSetup, changes: JwtClaims = {}): JwtClaims {
  const claims = { sub: MARKER, iss: issuer, aud: audience, exp: seconds() + HOUR_S, ...changes };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

async function assertRejects(setup: JwtVerifierSetup, token: unknown): Promise<void> {
  assert.ok((await rejectionOf(setup, token)) instanceof Error);
}

/** Returns the reason of the rejection. Fails if the token is accepted. */
async function rejectionOf({ verifier }: JwtVerifierSetup, token: unknown): Promise<unknown> {
  try {
    await verifier.verify(token as string);
  } catch (error) {
    return error;
  }
  assert.fail('the token was accepted');
}

/** Returns the claims, or the reason of the rejection. */
async function answerOf({ verifier }: JwtVerifierSetup, token: string): Promise<unknown> {
  try {
    return await verifier.verify(token);
  } catch (error) {
    return error;
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
