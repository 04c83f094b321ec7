/** The sub-protocol that a client offers beside its token, and that the server selects. */
export const NEUTRAL_SUBPROTOCOL = 'realtime';

const TOKEN_SUBPROTOCOL_PREFIX = 'bearer.';

/** The parts of a request that may hold a token. */
export interface TokenSources {
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  /** The `Sec-WebSocket-Protocol` header. */
  readonly subprotocols?: string | undefined;
}

/** Returns the credentials of `Authorization: Bearer <token>` (RFC 6750, 2.1); the scheme is case-insensitive. */
export function tokenFromAuthorization(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

/** Returns a query parameter, unless it is empty. */
export function tokenFromQuery(query: ReadonlyMap<string, string>, name: string): string | undefined {
  return query.get(name) || undefined;
}

/** Returns the token of the sub-protocol offer `realtime, bearer.<token>`, which browsers use to keep it out of the URL. */
export function tokenFromSubprotocols(header: string | undefined): string | undefined {
  const offers = (header ?? '').split(',').map((offer) => offer.trim());
  const offer = offers.find((candidate) => candidate.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return offer?.slice(TOKEN_SUBPROTOCOL_PREFIX.length) || undefined;
}

/**
 * Returns the token of a request: from the `Authorization` header, else the query parameter, else the sub-protocol offer.
 * @param queryName name of the query parameter; `false` if the URL may not carry tokens
 */
export function findToken(sources: TokenSources, queryName: string | false): string | undefined {
  return (
    tokenFromAuthorization(sources.authorization) ??
    (queryName === false ? undefined : tokenFromQuery(sources.query, queryName)) ??
    tokenFromSubprotocols(sources.subprotocols)
  );
}
