/** Time before a token's expiry at which its owner is warned, in milliseconds. */
export const EXPIRY_WARNING_MS = 25_000;

/** The state of a token: valid, about to expire, or expired. */
export type TokenLife = 'alive' | 'expiring' | 'expired';

/** @param toleranceS tolerated clock difference, in seconds; it delays the expiry, not the warning */
export function tokenLife(expiresAt: Date, now: number, toleranceS: number): TokenLife {
  const leftMs = expiresAt.getTime() - now;
  if (leftMs + toleranceS * 1000 <= 0) return 'expired';
  return leftMs <= EXPIRY_WARNING_MS ? 'expiring' : 'alive';
}
