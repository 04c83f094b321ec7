/**
 * The user who sent an HTTP request; `RealtimeAuthGuard` sets it as `request.user`.
 * @publicApi
 */
export interface RealtimeUser {
  readonly userId: string;
  readonly roles: ReadonlySet<string>;
  readonly permissions: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Expiry of the token. */
  readonly expiresAt?: Date;
}
