import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ClientAddress } from '../../core/connection/client-address.js';
import { authError, authorize, type Requirements } from '../../core/identity/authorization.js';
import { isOriginAllowed } from '../../core/connection/origin.js';
import type { Identity } from '../../core/identity/claims.js';
import { readMetadataPatch, type MetadataPatch } from '../../core/identity/metadata-patch.js';
import { isPromise, type Awaitable } from '../../core/base/awaitable.js';
import { parseQuery } from '../../core/base/query-string.js';
import { describeProblems } from '../../core/base/problem.js';
import { describeFailure } from '../../core/protocol/auth-failure.js';
import { findToken } from '../../core/identity/token.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { TokenHooks } from '../../errors/token-hooks.js';
import { Authenticator, type Authenticated } from '../../ports/authenticator.js';
import { Clock } from '../../ports/clock.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { Deadline } from './deadline.js';
import { refusalOf, type Refusal } from '../../core/protocol/upgrade-refusal.js';
import { SafeLogger } from '../../errors/safe-logger.js';

/** The identity behind a token, with a fingerprint of the token. */
export interface Accepted extends Authenticated {
  /** A hash: equal for equal tokens only, and it reveals nothing of the token. */
  readonly fingerprint: string;
  /** The result of the option `metadata` for a client that connects. */
  readonly connectMetadata: MetadataPatch | undefined;
}

/** The refusal of a request without a token where one is required. */
export const NO_TOKEN = refusalOf('UNAUTHENTICATED', 'A token is required.');
const NOT_GET: Refusal = { status: 405, message: 'A WebSocket is opened with GET.' };
const FOREIGN_ORIGIN = refusalOf('FORBIDDEN', 'Pages of this origin may not connect; see allowedOrigins.');

/** Authenticates clients and checks what every connection needs, before the upgrade or at the first command. */
@Injectable()
export class Handshake {
  /** Allows expired tokens, because the authenticator has already checked the expiry, with tolerance for clock skew. */
  readonly #requirements: Requirements;
  readonly #deadline: Deadline;
  readonly #hooks: TokenHooks;

  constructor(
    private readonly settings: RealtimeSettings,
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {
    this.#requirements = { ...settings.authorize, allowExpired: true };
    this.#deadline = new Deadline(settings.limits.authTimeoutMs, unverified);
    this.#hooks = new TokenHooks(new SafeLogger(Handshake.name), () => clock.now());
  }

  /** The refusal of a request by its method or its origin, before any token is read; `undefined` if both are acceptable. */
  refusalUnread({ headers, method }: IncomingMessage, { host, isSecure }: ClientAddress): Refusal | undefined {
    if (method !== 'GET') return NOT_GET;
    const { allowedOrigins: allowed } = this.settings;
    return isOriginAllowed({ origin: headers.origin, host, isSecure, allowed }) ? undefined : FOREIGN_ORIGIN;
  }

  /**
   * Turns a token into an identity, checks the requirements for every connection, and asks for the metadata of a client that
   * connects.
   * @returns a promise only if there is something to wait for; what is known without waiting is in time
   * @throws RealtimeError `UNAUTHENTICATED`, `TOKEN_EXPIRED`, `FORBIDDEN`; `UNAVAILABLE` if it cannot be verified in time;
   *   the promise rejects with them
   */
  authenticate(token: string, info: ConnectInfo): Awaitable<Accepted> {
    const { allowExpired = false } = this.settings.authorize;
    const authenticated = this.#hooks.run('Authenticator', () =>
      this.authenticator.authenticate(token, { allowExpired, info }),
    );
    if (isPromise(authenticated)) return this.#deadline.within(this.#acceptLater(authenticated, token, info));
    const accepted = this.#accept(authenticated, token, info);
    return isPromise(accepted) ? this.#deadline.within(accepted) : accepted;
  }

  async #acceptLater(authenticating: Promise<Authenticated>, token: string, info: ConnectInfo): Promise<Accepted> {
    const startedAt = performance.now();
    const authenticated = await authenticating;
    // The deadline has passed, and the client has been refused.
    if (performance.now() - startedAt > this.settings.limits.authTimeoutMs) throw unverified();
    return this.#accept(authenticated, token, info);
  }

  #accept(authenticated: Authenticated, token: string, info: ConnectInfo): Awaitable<Accepted> {
    const decision = authorize(authenticated.identity, this.#requirements, new Date(this.clock.now()));
    if (!decision.allowed) {
      const { code, message } = authError(decision.refusal);
      throw new RealtimeError(code, message);
    }
    const { metadata } = this.settings;
    const fingerprint = hash('sha256', token, 'base64');
    if (metadata === undefined || info.purpose !== 'connect') return acceptedAs(authenticated, fingerprint);
    return this.#metadataOf(metadata, info, authenticated.identity).then((patch) =>
      acceptedAs(authenticated, fingerprint, patch),
    );
  }

  async #metadataOf(
    metadata: NonNullable<RealtimeSettings['metadata']>,
    info: ConnectInfo,
    identity: Identity,
  ): Promise<MetadataPatch> {
    const read = await this.#hooks.run('metadata', async () =>
      readMetadataPatch(await metadata(info, identity), 'metadata'),
    );
    if ('patch' in read) return read.patch;
    // The text of an error comes from the application and may quote anything.
    const fault =
      read.cause === undefined
        ? describeProblems(read.problems)
        : `${read.problems[0]!.at} cannot be serialised as JSON: ${describeFailure(read.cause)}`;
    throw this.#hooks.unusable('metadata', fault);
  }

  /**
   * Reads the token of a request: from `token.from`, else from its usual places. A promise only if `token.from` returns one.
   * @throws RealtimeError if `token.from` fails, as `TokenHooks` reports it
   */
  tokenOf(request: IncomingMessage): string | undefined | Promise<string | undefined> {
    const { from } = this.settings.token;
    if (!from) return this.#sentToken(request);
    try {
      const found = from(request);
      if (!isPromise(found)) return found || this.#sentToken(request);
      const finding = this.#hooks.awaited('token.from', found);
      return this.#deadline.within(finding).then((token) => token || this.#sentToken(request));
    } catch (error) {
      throw this.#hooks.failure(error, 'token.from');
    }
  }

  /** The token in the usual places: the header, the sub-protocol, the query. */
  #sentToken(request: IncomingMessage): string | undefined {
    const { query } = this.settings.token;
    const { authorization, 'sec-websocket-protocol': subprotocols } = request.headers;
    const sources = { authorization, subprotocols, query: query === false ? NO_QUERY : parseQuery(request.url) };
    return findToken(sources, query);
  }
}

const NO_QUERY: ReadonlyMap<string, string> = new Map();

function acceptedAs(
  { identity, expiresAt, issuedAt, isRevoked }: Authenticated,
  fingerprint: string,
  connectMetadata?: MetadataPatch,
): Accepted {
  return { identity, expiresAt, issuedAt, isRevoked, fingerprint, connectMetadata };
}

function unverified(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', 'The token could not be verified in time; try again.');
}

/** The refusal that answers an upgrade request whose token failed with this error. */
export function refusalBecauseOf(error: unknown): Refusal {
  const { code, message, retryAfterMs = 1_000 } = error instanceof RealtimeError ? error : unverified();
  const retryAfterS = code === 'UNAVAILABLE' ? Math.ceil(retryAfterMs / 1000) : undefined;
  return { ...refusalOf(code, message, retryAfterS), reason: `The token was refused with ${code}.` };
}
