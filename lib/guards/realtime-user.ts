/**
 * Who sent an HTTP request; `RealtimeAuthGuard` leaves it in `request.user`.
 * @publicApi
 */
export interface RealtimeUser {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** When the token expires. */
  readonly expiresAt?: Date;
}
