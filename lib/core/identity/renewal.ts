/** The active token of a connection, as far as a renewal depends on it. */
export interface TokenInUse {
  /** A hash of the token: equal for equal tokens only. */
  readonly fingerprint?: string | undefined;
  readonly issuedAt?: Date | undefined;
  /** The time at which the rights of the token were last replaced, in milliseconds since 1970. */
  readonly rightsChangedAt?: number | undefined;
}

/** The relation of a token to the active one. */
export type RenewalVerdict =
  | 'newer'
  /** It is the active token. */
  | 'same'
  /** Issued before the active token, or before the rights of the connection were changed, so it may grant too much. */
  | 'older';

/**
 * Decides whether a token may replace the active one. If one of the two has no issue time (`iat`), it counts as newer.
 * @param toleranceS the tolerated clock skew between the issuer and this server, in seconds
 */
export function judgeRenewal(inUse: TokenInUse, next: TokenInUse, toleranceS: number): RenewalVerdict {
  if (next.fingerprint !== undefined && next.fingerprint === inUse.fingerprint) return 'same';
  if (!next.issuedAt || !inUse.issuedAt) return 'newer';
  const issuedAt = next.issuedAt.getTime();
  if (issuedAt < inUse.issuedAt.getTime()) return 'older';
  // Issue times are whole seconds, so a token issued in the second of the change is not older than the change.
  const changedAtS = Math.floor((inUse.rightsChangedAt ?? -Infinity) / 1_000);
  return issuedAt < (changedAtS - toleranceS) * 1_000 ? 'older' : 'newer';
}
