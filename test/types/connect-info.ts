import type { IncomingMessage } from 'node:http';
import {
  Authenticator,
  JwtVerifier,
  type Authenticated,
  type AuthenticateOptions,
  type ConnectInfo,
  type JwtClaims,
  type RealtimeOptions,
} from 'nestjs-realtime';

/*
 * Code that the type checker must accept, and code that it must refuse (each line under an @ts-expect-error). Nothing runs here.
 */

/** A verifier that needs nothing but the token. */
export class TokenVerifier extends JwtVerifier {
  async verify(token: string): Promise<JwtClaims> {
    return { sub: token };
  }
}

export class AddressVerifier extends JwtVerifier {
  async verify(token: string, info?: ConnectInfo): Promise<JwtClaims> {
    return { sub: token, address: info?.address };
  }
}

export class PathAuthenticator extends Authenticator {
  async authenticate(token: string, { info }: AuthenticateOptions = {}): Promise<Authenticated> {
    const request: IncomingMessage | undefined = info?.request;
    const roles = new Set(request?.url ? [request.url] : []);
    return { identity: { userId: token, roles, permissions: new Set(), metadata: {} } };
  }
}

export const allowed: RealtimeOptions[] = [
  { claims: ({ sub = '' }) => ({ userId: sub }), metadata: () => ({ gone: null }) },
  { claims: async ({ sub = '' }, { purpose, address }) => ({ userId: sub, metadata: { purpose, address } }) },
  { metadata: async ({ request }, { userId }) => ({ userId, agent: request?.headers['user-agent'] }) },
];

export const refused: unknown[] = [
  // @ts-expect-error -- metadata is an object
  { metadata: () => 'gold' } satisfies RealtimeOptions,
  // @ts-expect-error -- there may be no request
  { metadata: ({ request }) => ({ agent: request.headers['user-agent'] }) } satisfies RealtimeOptions,
  // @ts-expect-error -- there is no such purpose
  { purpose: 'reconnect' } satisfies ConnectInfo,
];
