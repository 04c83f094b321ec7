import type { Problem } from '../base/problem.js';

/**
 * One authenticated WebSocket, as an immutable snapshot: a later change (new roles, other metadata) creates a new object,
 * so the object that a handler holds never changes.
 */
export interface RealtimeConnection {
  /** `<node>.<random>`: unguessable, and names the node that holds the socket. */
  readonly id: string;
  /** The connected user: the token's `sub`, unless the `claims` option maps it differently. */
  readonly userId: string;
  readonly roles: ReadonlySet<string>;
  readonly permissions: ReadonlySet<string>;
  /** Data of the application about the connection. The package never sends it to other clients. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  /** Expiry of the token, from its `exp`. */
  readonly expiresAt?: Date;
  /**
   * An object for whatever the application keeps about this connection: made when first used, the same for all snapshots of
   * the connection, and gone with it. It stays on the node that holds the socket; of a connection on another node it is empty.
   */
  readonly state: RealtimeConnectionState;
}

/**
 * The application's own state of a connection. Declare its fields once, and `connection.state` has them:
 *
 * ```ts
 * declare module 'nestjs-realtime' {
 *   interface RealtimeConnectionState {
 *     cursor?: { x: number; y: number };
 *   }
 * }
 * ```
 * @publicApi
 */
// An interface, so that applications can add to it.
// oxlint-disable-next-line typescript/no-empty-object-type
export interface RealtimeConnectionState {}

/** A snapshot. All snapshots of one connection share its state. */
class ConnectionSnapshot implements RealtimeConnection {
  declare readonly expiresAt?: Date;
  /** The first snapshot of the connection, which holds the state: most connections have one snapshot and no state. */
  readonly #first: ConnectionSnapshot;
  #state: RealtimeConnectionState | undefined;

  constructor(
    readonly id: string,
    readonly userId: string,
    readonly roles: ReadonlySet<string>,
    readonly permissions: ReadonlySet<string>,
    readonly metadata: Readonly<Record<string, unknown>>,
    readonly createdAt: Date,
    expiresAt: Date | undefined,
    before: RealtimeConnection | undefined,
  ) {
    if (expiresAt) this.expiresAt = expiresAt;
    this.#first = before instanceof ConnectionSnapshot ? before.#first : this;
    Object.freeze(this);
  }

  get state(): RealtimeConnectionState {
    return (this.#first.#state ??= {});
  }
}

/** Keys that could reach an object's prototype if metadata were merged carelessly. */
const UNSAFE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);

/**
 * Creates the snapshot; lists become sets, and the result is frozen.
 * @param before an earlier snapshot of the same connection, whose state is shared
 */
export function createConnection(
  input: {
    readonly id: string;
    readonly userId: string;
    readonly roles?: Iterable<string>;
    readonly permissions?: Iterable<string>;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly createdAt: Date;
    readonly expiresAt?: Date | undefined;
  },
  before?: RealtimeConnection,
): RealtimeConnection {
  return new ConnectionSnapshot(
    input.id,
    input.userId,
    setOf(input.roles),
    setOf(input.permissions),
    frozenCopy(input.metadata),
    input.createdAt,
    input.expiresAt,
    before,
  );
}

/** Returns the problems of a value that should be a connection; an empty list if it is valid. */
export function explainConnection(value: unknown): readonly Problem[] {
  if (typeof value !== 'object' || value === null) return [{ at: 'connection', message: 'must be an object' }];
  const { id, userId, roles, permissions, metadata, createdAt, expiresAt } = value as Record<string, unknown>;
  const problems: Problem[] = [];
  if (!isText(id)) problems.push({ at: 'id', message: 'must be a non-empty string' });
  if (!isText(userId)) problems.push({ at: 'userId', message: 'must be a non-empty string' });
  if (!isSetOfText(roles)) problems.push({ at: 'roles', message: 'must be a Set of non-empty strings' });
  if (!isSetOfText(permissions)) problems.push({ at: 'permissions', message: 'must be a Set of non-empty strings' });
  problems.push(...explainMetadata(metadata));
  if (!isDate(createdAt)) problems.push({ at: 'createdAt', message: 'must be a valid Date' });
  if (expiresAt !== undefined && !isDate(expiresAt))
    problems.push({ at: 'expiresAt', message: 'must be a valid Date' });
  return problems;
}

/** True for a well-formed connection. */
export function isConnection(value: unknown): value is RealtimeConnection {
  return explainConnection(value).length === 0;
}

/** Returns the problems of a metadata object. Keys that could reach a prototype are refused. */
export function explainMetadata(value: unknown): readonly Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ at: 'metadata', message: 'must be an object' }];
  }
  return Object.keys(value)
    .filter((key) => UNSAFE_KEYS.has(key))
    .map((key) => ({ at: `metadata.${key}`, message: 'is a reserved name' }));
}

/** Milliseconds since the connection was created; never negative, even after the clock was set back. */
export function connectionAgeMs(connection: RealtimeConnection, now: Date): number {
  return Math.max(0, now.getTime() - connection.createdAt.getTime());
}

/** True when both have the same roles and the same permissions. */
export function haveSameRights(a: RealtimeConnection, b: RealtimeConnection): boolean {
  return a === b || (areEqual(a.roles, b.roles) && areEqual(a.permissions, b.permissions));
}

/** Sorts by creation time, oldest first. Ties are broken by id, so that the order is the same on every node. */
export function oldestFirst(connections: readonly RealtimeConnection[]): readonly RealtimeConnection[] {
  return connections.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1));
}

/** The connections of one user. */
export function filterByUser(connections: Iterable<RealtimeConnection>, userId: string): RealtimeConnection[] {
  return Array.from(connections).filter((connection) => connection.userId === userId);
}

/** The connections that have the role. */
export function filterByRole(connections: Iterable<RealtimeConnection>, role: string): RealtimeConnection[] {
  return Array.from(connections).filter((connection) => connection.roles.has(role));
}

/** The connections whose metadata passes the test. */
export function filterByMetadata(
  connections: Iterable<RealtimeConnection>,
  test: (metadata: RealtimeConnection['metadata']) => boolean,
): RealtimeConnection[] {
  return Array.from(connections).filter((connection) => test(connection.metadata));
}

/** Returns a copy whose metadata is the result of `change`. */
export function updateMetadata(
  connection: RealtimeConnection,
  change: (metadata: RealtimeConnection['metadata']) => Readonly<Record<string, unknown>>,
): RealtimeConnection {
  return createConnection({ ...connection, metadata: change(connection.metadata) }, connection);
}

/** Returns a copy with one metadata entry set. A key that could reach a prototype leaves the connection unchanged. */
export function setMetadata(connection: RealtimeConnection, key: string, value: unknown): RealtimeConnection {
  if (UNSAFE_KEYS.has(key)) return connection;
  return updateMetadata(connection, (metadata) => ({ ...metadata, [key]: value }));
}

/** Returns a copy without one metadata entry. */
export function removeMetadata(connection: RealtimeConnection, key: string): RealtimeConnection {
  return updateMetadata(connection, ({ [key]: _removed, ...rest }) => rest);
}

/** Shared empty set, which refuses `add`: most connections have no permissions, and many have no roles. */
const NONE: ReadonlySet<string> = Object.defineProperty(new Set<string>(), 'add', {
  value() {
    throw new TypeError('The roles and permissions of a connection cannot be changed: it is a snapshot.');
  },
});

/** Most connections have no metadata: they share one object. */
const NO_METADATA: RealtimeConnection['metadata'] = Object.freeze({});

function frozenCopy(metadata: RealtimeConnection['metadata'] = NO_METADATA): RealtimeConnection['metadata'] {
  return Reflect.ownKeys(metadata).length === 0 ? NO_METADATA : Object.freeze({ ...metadata });
}

function setOf(entries: Iterable<string> | undefined): ReadonlySet<string> {
  if (entries === undefined || (entries instanceof Set && entries.size === 0)) return NONE;
  const set = new Set(entries);
  return set.size === 0 ? NONE : set;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function isSetOfText(value: unknown): boolean {
  return value instanceof Set && [...value].every(isText);
}

function isDate(value: unknown): boolean {
  const getTime = (value as { getTime?: unknown } | null)?.getTime;
  if (typeof getTime !== 'function') return false;
  try {
    return Number.isFinite(getTime.call(value));
  } catch {
    return false;
  }
}

function areEqual(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((entry) => b.has(entry));
}
