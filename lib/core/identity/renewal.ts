/** What a connection knows of the token that it lives by. */
export interface TokenInUse {
  /** The same for the same token, and for no other. */
  readonly fingerprint?: string | undefined;
  readonly issuedAt?: Date | undefined;
  /** When the connection was last given other rights than those of its token, in milliseconds since 1970. */
  readonly rightsChangedAt?: number | undefined;
}

/** How a token stands to the one in use. */
export type RenewalVerdict =
  | 'newer'
  /** It is the very token in use. */
  | 'same'
  /** It was issued before the token in use, or before the rights of the connection were changed, so it may say too much. */
  | 'older';

/**
 * Judges whether a token may take the place of the one in use. Where one of the two does not say when it was issued (`iat`),
 * it counts as newer.
 * @param toleranceS seconds that clocks may differ by, where a token is compared with a change made here
 */
export function judgeRenewal(inUse: TokenInUse, next: TokenInUse, toleranceS: number): RenewalVerdict {
  if (next.fingerprint !== undefined && next.fingerprint === inUse.fingerprint) return 'same';
  if (!next.issuedAt || !inUse.issuedAt) return 'newer';
  const issuedAt = next.issuedAt.getTime();
  if (issuedAt < inUse.issuedAt.getTime()) return 'older';
  // An issuer counts in whole seconds, so a token of the second of the change is none from before it.
  const changedAtS = Math.floor((inUse.rightsChangedAt ?? -Infinity) / 1_000);
  return issuedAt < (changedAtS - toleranceS) * 1_000 ? 'older' : 'newer';
}
