/** The sub-protocol that a client offers beside its token, and that the server answers with. */
export const NEUTRAL_SUBPROTOCOL = 'realtime';

const TOKEN_SUBPROTOCOL_PREFIX = 'bearer.';

/** What of a request may hold a token. */
export interface TokenSources {
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  /** The `Sec-WebSocket-Protocol` header. */
  readonly subprotocols?: string | undefined;
}

/** The credentials of `Authorization: Bearer <token>` (RFC 6750, 2.1); the scheme's case does not matter. */
export function tokenFromAuthorization(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

/** A query parameter, unless it is empty. */
export function tokenFromQuery(query: ReadonlyMap<string, string>, name: string): string | undefined {
  return query.get(name) || undefined;
}

/** The token of the offer `realtime, bearer.<token>`, for browsers that must not put it into the URL. */
export function tokenFromSubprotocols(header: string | undefined): string | undefined {
  const offers = (header ?? '').split(',').map((offer) => offer.trim());
  const offer = offers.find((candidate) => candidate.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return offer?.slice(TOKEN_SUBPROTOCOL_PREFIX.length) || undefined;
}

/**
 * The token of a request: the `Authorization` header, then the query parameter, then the sub-protocol offer.
 * @param queryName name of the query parameter; `false` when the URL may not carry tokens
 */
export function findToken(sources: TokenSources, queryName: string | false): string | undefined {
  return (
    tokenFromAuthorization(sources.authorization) ??
    (queryName === false ? undefined : tokenFromQuery(sources.query, queryName)) ??
    tokenFromSubprotocols(sources.subprotocols)
  );
}
