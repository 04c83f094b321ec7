import type { IncomingMessage } from 'node:http';

/**
 * Why a token is judged, and who presents it: the argument of `claims`, `metadata`, `JwtVerifier.verify()` and
 * `Authenticator.authenticate()`.
 * @publicApi
 */
export interface ConnectInfo {
  /**
   * - `connect`: a client connects, with the token in its request or in its first command.
   * - `renew`: a connection presents a newer token.
   * - `topic`: a connection presents a token for one topic.
   * - `http`: a route behind `RealtimeAuthGuard` is requested.
   */
  readonly purpose: 'connect' | 'renew' | 'topic' | 'http';
  /**
   * The HTTP request: of the WebSocket for `connect`, of the route for `http` (with Fastify the raw one). A connection drops
   * its request once it is authenticated, so there is none for `renew` and `topic`.
   */
  readonly request?: IncomingMessage;
  /** IP address of the client, behind the proxies of the option `trustProxy`; missing if unknown, as on a Unix domain socket. */
  readonly address?: string;
}
