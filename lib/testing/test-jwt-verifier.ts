import { Injectable } from '@nestjs/common';
import type { JwtClaims } from '../core/identity/claims.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { JwtVerifier } from '../ports/jwt-verifier.js';

/**
 * A verifier for tests, which accepts tokens from {@link testToken} without keys or signatures. Use it in an application
 * under test with `overrideProvider(JwtVerifier).useClass(TestJwtVerifier)` or in `forRoot({ providers })`. Never use it in
 * production, where its constructor throws: anybody can make such a token.
 * @throws RealtimeConfigurationError if `NODE_ENV` is `production`
 */
@Injectable()
export class TestJwtVerifier extends JwtVerifier {
  constructor() {
    super();
    if (process.env['NODE_ENV'] !== 'production') return;
    throw new RealtimeConfigurationError(
      'TestJwtVerifier takes tokens that anybody can make, and NODE_ENV is production: remove it from the providers and set ' +
        'jwt, or a verifier of your own.',
    );
  }

  /** @returns the claims passed to {@link testToken} */
  verify(token: string): JwtClaims | Promise<JwtClaims> {
    try {
      return JSON.parse(Buffer.from(token, 'base64url').toString()) as JwtClaims;
    } catch {
      throw new RealtimeError('UNAUTHENTICATED', 'This is not a test token; make one with testToken().');
    }
  }
}

/**
 * Creates a token for {@link TestJwtVerifier}.
 * @param userId the `sub` claim
 * @param claims more claims, such as `{ roles: ['admin'] }`; `exp` defaults to an hour from now
 */
export function testToken(userId: string, claims: JwtClaims = {}): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return Buffer.from(JSON.stringify({ exp, ...claims, sub: userId })).toString('base64url');
}
