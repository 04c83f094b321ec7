import { Injectable } from '@nestjs/common';
import type { JwtClaims } from '../core/identity/claims.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { JwtVerifier } from '../ports/jwt-verifier.js';

/**
 * A verifier for tests, which accepts tokens from {@link testToken} without keys or signatures. Use it in an application
 * under test with `overrideProvider(JwtVerifier).useClass(TestJwtVerifier)` or in `forRoot({ providers })`. Never use it in
 * production: anybody can make such a token.
 */
@Injectable()
export class TestJwtVerifier extends JwtVerifier {
  /** @returns the claims passed to {@link testToken} */
  async verify(token: string): Promise<JwtClaims> {
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
