/** How long before its end a token's owner is warned, in milliseconds. */
export const EXPIRY_WARNING_MS = 25_000;

/** Where a token stands in its life. */
export type TokenLife = 'alive' | 'expiring' | 'expired';

/** @param toleranceS seconds that clocks may differ by; the warning comes before the bare end */
export function tokenLife(expiresAt: Date, now: number, toleranceS: number): TokenLife {
  const leftMs = expiresAt.getTime() - now;
  if (leftMs + toleranceS * 1000 <= 0) return 'expired';
  return leftMs <= EXPIRY_WARNING_MS ? 'expiring' : 'alive';
}
